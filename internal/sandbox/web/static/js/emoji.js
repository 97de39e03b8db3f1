// The emoji that messages name. One that is not here is shown by its name, as
// Slack shows one that it does not have.
const known = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", no_entry: "⛔", no_entry_sign: "🚫", warning: "⚠️", rotating_light: "🚨",
  lock: "🔒", unlock: "🔓", closed_lock_with_key: "🔐", key: "🔑", hourglass: "⌛", hourglass_flowing_sand: "⏳", alarm_clock: "⏰", bell: "🔔",
  memo: "📝", pencil: "📝", ticket: "🎫", link: "🔗", eyes: "👀", wave: "👋", tada: "🎉", fire: "🔥", fire_engine: "🚒", clipboard: "📋",
  large_green_circle: "🟢", large_yellow_circle: "🟡", large_orange_circle: "🟠", red_circle: "🔴", white_circle: "⚪", large_blue_circle: "🔵",
  information_source: "ℹ️", question: "❓", exclamation: "❗", heavy_plus_sign: "➕", arrow_right: "➡️", stopwatch: "⏱️", shield: "🛡️", bulb: "💡",
};

export const emoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (all, name) => known[name] ?? all);
