// What every part of the page needs: the picture, the person being played, and
// the hands to act with.
import { createContext, useContext } from "./html.js";

export const Workspace = createContext(null);
export const useWorkspace = () => useContext(Workspace);

// nameOf says who somebody is by their Slack user id.
export function nameOf(people, id) {
  return people?.people.find((p) => p.id === id)?.name ?? id;
}

// A place in the workspace is a channel's id, or one of these two.
export const HOME = "home";
export const DIRECT = "direct";

// placeOf finds the messages of a place; the direct messages may not exist yet.
export function placeOf(slack, place) {
  if (place === DIRECT) return slack.channels.find((c) => c.direct) ?? { id: "", direct: true, name: "breakglass", messages: [] };
  return slack.channels.find((c) => c.id === place);
}
