// What is drawn over the points: rings, lines to neighbours, what is yours, your way and your place.

export function ring(c, [x, y], r, colour, width) {
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
  c.stroke();
}

// Lines from a point to others, each in a ring. radii: of the point and of the others.
export function drawNear(c, from, others, radii, { ink, paper }) {
  for (const [colour, width] of [[paper, 3.5], [ink, 1.2]]) { // with a rim, to be seen on any point
    Object.assign(c, { strokeStyle: colour, lineWidth: width });
    c.beginPath();
    for (const to of others) {
      c.moveTo(...from);
      c.lineTo(...to);
    }
    c.stroke();
  }
  others.forEach((to, at) => ring(c, to, radii[at + 1] + 1.5, ink, 1.5));
  ring(c, from, radii[0] + 3, ink, 2.5);
}

export function outline(c, loop, colour) {
  Object.assign(c, { strokeStyle: colour, lineWidth: 2 });
  c.setLineDash([5, 4]);
  c.beginPath();
  loop.forEach(([x, y], at) => (at ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
  c.stroke();
  c.setLineDash([]);
}

// What the person has marked: a diamond, by shape as well as by colour.
export function drawOwn(c, places, size, { mine, paper }) {
  c.beginPath();
  for (const [x, y] of places) {
    c.moveTo(x, y - size);
    c.lineTo(x + size, y);
    c.lineTo(x, y + size);
    c.lineTo(x - size, y);
    c.closePath();
  }
  Object.assign(c, { strokeStyle: paper, lineWidth: 3, fillStyle: mine });
  c.stroke();
  c.fill();
}

// The places where the person stood, the oldest first, fading towards the past.
export function drawTrail(c, places, { mine, paper }) {
  for (let at = 1; at < places.length; at++) {
    const [[ax, ay], [bx, by]] = [places[at - 1], places[at]];
    c.globalAlpha = 0.2 + (0.7 * at) / (places.length - 1);
    for (const [colour, width] of [[paper, 5], [mine, 2]]) {
      Object.assign(c, { strokeStyle: colour, lineWidth: width });
      c.beginPath();
      c.moveTo(ax, ay);
      c.lineTo(bx, by);
      c.stroke();
    }
    c.fillStyle = mine;
    c.beginPath();
    c.arc(ax, ay, 3, 0, 2 * Math.PI);
    c.fill();
  }
  c.globalAlpha = 1;
}

export function drawHere(c, place, { mine, paper }) {
  ring(c, place, 10, paper, 7);
  ring(c, place, 10, mine, 4);
  c.fillStyle = mine;
  c.beginPath();
  c.arc(...place, 3.5, 0, 2 * Math.PI);
  c.fill();
}
