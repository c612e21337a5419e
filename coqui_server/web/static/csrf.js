// The CSRF token for every request that changes something.

const shown = document.querySelector("meta[name=csrf]");

export const csrf = shown ? { "X-CSRF-Token": shown.content } : {};
