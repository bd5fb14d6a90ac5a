"""``/openapi.json``, and ``/docs``: the same document as a page, which needs no other host."""

import json
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from tastemap.serve.web.middleware import API_KEY_HEADER, check_key
from tastemap.serve.web.templating import HERE, templates

METHODS = ("get", "put", "post", "delete")
router = APIRouter(include_in_schema=False)


@router.get("/openapi.json", dependencies=[Depends(check_key)])
def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
def docs(request: Request) -> Response:
    """The OpenAPI document as a page."""
    document = request.app.openapi()
    page = templates().get_template("reference.html")
    base = str(request.base_url).rstrip("/")
    operations = list(_operations(document, base))
    tags = list(dict.fromkeys(operation["tag"] for operation in operations))
    return HTMLResponse(
        page.render(
            title=document["info"]["title"],
            summary=document["info"].get("summary", ""),
            operations=operations,
            tags=tags,
            key_header=API_KEY_HEADER,
            needs_key=request.app.state.settings.api_key is not None,
            shapes=_shapes(document),
        )
    )


@router.get("/docs/style.css")
def style() -> Response:
    """What the page looks like."""
    return FileResponse(HERE / "static" / "reference.css", media_type="text/css")


def _operations(document: dict[str, Any], base: str) -> Any:
    """Each route as the page shows it."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method not in methods:
                continue
            about = methods[method]
            body = about.get("requestBody", {}).get("content", {}).get("application/json")
            example = None if body is None else _example(document, body["schema"])
            yield {
                "method": method.upper(),
                "path": path,
                "tag": about.get("tags", ["other"])[0],
                "summary": about.get("description") or about.get("summary", ""),
                "parameters": [_parameter(part) for part in about.get("parameters", [])],
                "body": None if example is None else json.dumps(example, indent=2),
                "answers": [_answer(*answer) for answer in about["responses"].items()],
                "curl": _curl(method, base + path, example),
            }


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    kinds = [choice.get("type") for choice in schema.get("anyOf", [schema])]
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "kind": " or ".join(kind for kind in kinds if kind and kind != "null"),
        "default": schema.get("default", ""),
        "meaning": parameter.get("description", ""),
    }


def _answer(status: str, answer: dict[str, Any]) -> dict[str, str]:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    shape = schema.get("$ref", "").rsplit("/", 1)[-1]
    return {"status": status, "meaning": answer.get("description", ""), "shape": shape}


def _curl(method: str, url: str, example: Any) -> str:
    words = ["curl"] if method == "get" else ["curl", "-X", method.upper()]
    if example is not None:
        words += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(example)}'"]
    return " ".join([*words, f"'{url}'"])


def _example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A value that fits a schema, for people to start from."""
    if "$ref" in schema:
        return _example(document, _shape(document, schema["$ref"]))
    if schema.get("examples"):
        return schema["examples"][0]
    if "anyOf" in schema:
        return _example(document, schema["anyOf"][0])
    kind = schema.get("type")
    if kind == "object":
        needed = schema.get("required", [])
        parts = schema.get("properties", {}).items()
        return {name: _example(document, part) for name, part in parts if name in needed}
    if kind == "array":
        return [_example(document, schema["items"])]
    return schema.get("default", {"integer": 1, "number": 4, "boolean": True}.get(kind or "", "1"))


def _shape(document: dict[str, Any], reference: str) -> dict[str, Any]:
    shape: dict[str, Any] = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return shape


def _shapes(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Every named shape with its fields."""
    return [
        {
            "name": name,
            "meaning": about.get("description", ""),
            "fields": [(field, _kind(part)) for field, part in about.get("properties", {}).items()],
        }
        for name, about in sorted(document["components"]["schemas"].items())
    ]


def _kind(schema: dict[str, Any]) -> str:
    """The type of a field in words."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return schema.get("type") or " or ".join(map(str, schema.get("enum", ["anything"])))
