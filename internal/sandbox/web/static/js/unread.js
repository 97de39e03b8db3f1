// What has come since somebody last looked. What was there when the page was
// opened counts as read.
import { useState, useEffect } from "./html.js";
import { placeOf, DIRECT, HOME } from "./workspace.js";

export function useUnread(picture, person, place) {
  const [marks, setMarks] = useState({});
  const [opened, setOpened] = useState();
  const now = picture.clock?.now;
  useEffect(() => { if (now !== undefined && opened === undefined) setOpened(now); }, [now]);

  const mine = picture.slack?.me === person;
  const messages = mine && place !== HOME ? placeOf(picture.slack, place)?.messages : undefined;
  const newest = messages?.at(-1)?.ts;
  useEffect(() => { if (newest) setMarks((m) => ({ ...m, [`${person} ${place}`]: newest })); }, [person, place, newest]);

  const since = (who, where) => Math.max(Number(marks[`${who} ${where}`] ?? 0), (opened ?? Infinity) / 1000);
  const unread = (where) => (mine ? placeOf(picture.slack, where).messages.filter((m) => m.user !== person && !m.thread && Number(m.ts) > since(person, where)).length : 0);
  const unreadOf = (who) => who.direct.filter((ts) => Number(ts) > since(who.id, DIRECT)).length;
  return [unread, unreadOf];
}
