// The standard normal distribution.

const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);
const [END, PER_UNIT] = [8, 128]; // of the table below

export const density = (x) => Math.exp(-0.5 * x * x) / ROOT_TWO_PI;

// Phi(x) to about 15 digits, in the lower tail relative to itself. Hart's rational function, and a
// continued fraction far out: West, "Better approximations to cumulative normal functions", Wilmott
// Magazine, May 2005.
export function cdf(x) {
  if (x > 0) return 1 - cdf(-x);
  const z = -x;
  if (z > 37) return 0;
  const e = Math.exp(-0.5 * z * z);
  if (z > 7.07106781186547) {
    return e / ROOT_TWO_PI / (z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65)))));
  }
  const above = ((((((0.0352624965998911 * z + 0.700383064443688) * z + 6.37396220353165) * z
    + 33.912866078383) * z + 112.079291497871) * z + 221.213596169931) * z + 220.206867912376);
  const below = (((((((0.0883883476483184 * z + 1.75566716318264) * z + 16.064177579207) * z
    + 86.7807322029461) * z + 296.564248779674) * z + 637.333633378831) * z + 793.826512519948) * z
    + 440.413735824752);
  return e * above / below;
}

// Phi at the points -8, -8 + 1/128, ..., 8; between them linear, within 2e-6.
const TABLE = Float64Array.from({ length: 2 * END * PER_UNIT + 2 }, (_, at) => cdf(at / PER_UNIT - END));

// Phi(x) from a table, for loops over many.
export function quickCdf(x) {
  const place = (x + END) * PER_UNIT;
  if (!(place > 0)) return 0;
  if (place >= TABLE.length - 2) return 1;
  const at = place | 0;
  return TABLE[at] + (place - at) * (TABLE[at + 1] - TABLE[at]);
}

// P(l < z < u) for standard normal z; `l` and `u` may be infinite.
export const between = (l, u) => (l > 0 ? cdf(-l) - cdf(-u) : cdf(u) - cdf(l));
