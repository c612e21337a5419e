// What has to come with every request that changes something: it proves that the page is ours.

const shown = document.querySelector("meta[name=csrf]");

export const csrf = shown ? { "X-CSRF-Token": shown.content } : {};
