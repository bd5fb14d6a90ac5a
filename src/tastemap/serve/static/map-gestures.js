// Hands on the map: mouse, fingers and keys.

const STEP = 60; // pixels that an arrow key moves

// Tells `map` (see map.js) what people do on `canvas`.
export function followGestures(canvas, map) {
  const pointers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    try { canvas.setPointerCapture(event.pointerId); } catch { /* a pointer made by a script */ }
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    moved = 0;
    map.view.stop();
    map.loop = map.drawing ? [[event.offsetX, event.offsetY]] : null;
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = [event.offsetX, event.offsetY];
    const last = pointers.get(event.pointerId);
    if (!last) {
      map.point(x, y);
      return;
    }
    moved += Math.abs(x - last[0]) + Math.abs(y - last[1]);
    if (map.loop) map.loop.push([x, y]);
    else if (pointers.size === 2) pinch(map, pointers, event.pointerId, [x, y]);
    else map.pan(x - last[0], y - last[1]);
    pointers.set(event.pointerId, [x, y]);
    map.draw();
  });
  const up = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (map.loop && moved > 8) map.enclose();
    else if (moved < 6 && event.type === "pointerup") map.tap(event.offsetX, event.offsetY);
    map.loop = null;
    map.draw();
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => map.point(-1e6, -1e6));
  canvas.addEventListener("dblclick", (event) => map.zoomBy(2, event.offsetX, event.offsetY));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    map.view.stop();
    map.zoomBy(Math.exp(-event.deltaY / (event.deltaMode ? 12 : 400)), event.offsetX, event.offsetY, true);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => key(map, event));
}

function key(map, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
  if (step) map.pan(...step);
  else if (event.key === "+" || event.key === "=") map.zoomBy(1.6);
  else if (event.key === "-") map.zoomBy(1 / 1.6);
  else if (event.key === "0") map.fly(0, 0, 1);
  else if (event.key === "Enter") map.openMiddle();
  else return;
  event.preventDefault();
  map.draw();
}

function pinch(map, pointers, id, [x, y]) {
  const [other] = [...pointers].filter(([pointer]) => pointer !== id).map(([, at]) => at);
  const [ox, oy] = pointers.get(id);
  const before = Math.hypot(ox - other[0], oy - other[1]);
  const after = Math.hypot(x - other[0], y - other[1]);
  if (before > 0) map.zoomBy(after / before, (x + other[0]) / 2, (y + other[1]) / 2, true);
  map.pan((x - ox) / 2, (y - oy) / 2);
}
