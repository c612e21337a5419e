// Times as the reader's own clock has them; the server writes UTC.

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

for (const time of document.querySelectorAll("time[datetime]")) {
  time.textContent = shown.format(new Date(time.dateTime));
}
