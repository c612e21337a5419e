// The address of a path of the console, which a proxy may serve below a path of its own.

export function address(path) {
  const { pathname, search } = placed(path);
  return `${pathname}${search}`;
}

export function socketAddress(path) {
  return placed(path).href.replace(/^http/, "ws");
}

function placed(path) {
  return new URL(`..${path}`, import.meta.url);
}
