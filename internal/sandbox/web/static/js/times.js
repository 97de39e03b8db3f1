// Times as people read and write them, in the time zone of the person played.
const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-US", { timeZone: zone, ...options }));
  return formats.get(key);
}

export const clockTime = (at, zone) => format(zone, { hour: "numeric", minute: "2-digit" }).format(at);
export const dayAndTime = (at, zone) => format(zone, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
export const dayOf = (at, zone) => format(zone, { weekday: "long", month: "long", day: "numeric" }).format(at);

// numeric answers the parts of a moment as numbers, by Intl's names.
function numeric(at, zone) {
  const parts = format(zone, { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).formatToParts(at);
  return Object.fromEntries(parts.map((p) => [p.type, p.value]));
}

export const isoDay = (at, zone) => { const p = numeric(at, zone); return `${p.year}-${p.month}-${p.day}`; };

// toLocal writes a moment as <input type="datetime-local"> wants it.
export function toLocal(unix, zone) {
  const p = numeric(unix * 1000, zone);
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
}

// fromLocal reads what <input type="datetime-local"> holds as a moment. A zone's
// offset is known of a moment only, so a guess is corrected, twice for the days
// on which the clocks change.
export function fromLocal(local, zone) {
  const wanted = Date.parse(`${local}:00Z`);
  let guess = wanted;
  for (let i = 0; i < 2; i++) guess += wanted - Date.parse(`${toLocal(guess / 1000, zone)}:00Z`);
  return Math.floor(guess / 1000);
}

// slackDate renders the tokens of <!date^…> as Slack does.
export function slackDate(unix, tokens, zone, now) {
  const at = unix * 1000;
  const long = format(zone, { dateStyle: "long" }), short = format(zone, { dateStyle: "medium" }), full = format(zone, { dateStyle: "full" });
  const pretty = (otherwise) => {
    const days = { [isoDay(now, zone)]: "today", [isoDay(now - 864e5, zone)]: "yesterday", [isoDay(now + 864e5, zone)]: "tomorrow" };
    return days[isoDay(at, zone)] ?? otherwise.format(at);
  };
  const shown = {
    date_num: () => isoDay(at, zone), date_slash: () => format(zone, { dateStyle: "short" }).format(at),
    date: () => long.format(at), date_short: () => short.format(at), date_long: () => full.format(at),
    date_pretty: () => pretty(long), date_short_pretty: () => pretty(short), date_long_pretty: () => pretty(full),
    time: () => clockTime(at, zone), time_secs: () => format(zone, { timeStyle: "medium" }).format(at), ago: () => untilWords(at - now),
  };
  return tokens.replace(/\{([a-z_]+)\}/g, (token, name) => shown[name]?.() ?? token);
}

// span says a length of time in its two largest units.
export function span(milliseconds) {
  const minutes = Math.round(Math.abs(milliseconds) / 6e4);
  const days = Math.floor(minutes / 1440), hours = Math.floor(minutes / 60) % 24, rest = minutes % 60;
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return rest ? `${hours} h ${rest} min` : `${hours} h`;
  return `${rest} min`;
}

export const untilWords = (milliseconds) => (milliseconds < 0 ? `${span(milliseconds)} ago` : `in ${span(milliseconds)}`);

// tsTime answers the moment of a message, whose ts is its time in seconds.
export const tsTime = (ts) => Number(ts) * 1000;
