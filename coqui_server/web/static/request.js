// Sends a request; the answer is JSON, and a refusal is an Error with its message.

import { csrf } from "./csrf.js";

export async function request(method, address, body) {
  const headers = { ...csrf, ...(body !== undefined && { "Content-Type": "application/json" }) };
  let answer;
  try {
    answer = await fetch(address, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const reply = answer.status === 204 ? undefined : await answer.json();
  if (!answer.ok) throw new Error(reply.message);
  return reply;
}
