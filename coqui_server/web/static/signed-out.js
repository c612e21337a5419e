// How the server closes the sockets of somebody whose sign-in has ended, and what their page says.

export const SIGNED_OUT = 3000; // a close code of the IANA registry
export const SIGNED_OUT_WORDS = "You are signed out. Sign in again to go on.";
