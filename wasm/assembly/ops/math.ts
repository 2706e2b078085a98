/** f64 functions compiled into the core: the engines' own differ in the last bits. */
export function pow(x: f64, y: f64): f64 {
  return NativeMath.pow(x, y);
}

export function log(x: f64): f64 {
  return NativeMath.log(x);
}

export function exp(x: f64): f64 {
  return NativeMath.exp(x);
}
