// What the fields of a page ask for, by name; what is empty is left to the server.

export function wishes() {
  const fields = [...document.querySelectorAll("[data-wish]")];
  return Object.fromEntries(fields.filter(({ value }) => value).map(({ id, value }) => [id, value]));
}
