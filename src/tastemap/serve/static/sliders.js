// What a slider does to the picks, in words, while it moves: as templating.py says it. A press on
// "Reset" brings it back to where it does nothing.

const MODERATE = 0.35;
const STRONG = 0.75;

function mixed(name, value) {
  if (value === 0) return "as they are";
  const size = Math.abs(value);
  const degree = size < MODERATE ? "a little more" : size < STRONG ? "more" : "far more";
  return `${degree} ${name === "diversity" ? "varied" : value > 0 ? "surprising" : "familiar"}`;
}

for (const slide of document.querySelectorAll("[data-slider]")) {
  const range = slide.querySelector("input");
  const output = slide.querySelector("output");
  const reset = document.createElement("button");
  reset.type = "button";
  reset.className = "reset";
  reset.textContent = "Reset";
  reset.setAttribute("aria-label", `Reset: ${range.getAttribute("aria-label")}`);
  slide.querySelector(".slide-foot").append(reset);
  const show = () => {
    const text = mixed(range.name, Number(range.value));
    output.textContent = text;
    range.setAttribute("aria-valuetext", text);
    reset.toggleAttribute("data-idle", Number(range.value) === 0);
  };
  reset.addEventListener("click", () => {
    range.value = "0";
    range.dispatchEvent(new Event("input", { bubbles: true }));
    range.focus();
  });
  range.addEventListener("input", show);
  show();
}
