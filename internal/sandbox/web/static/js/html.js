// Preact with templates instead of a compiler: `html` turns a template into
// elements. Text put into a template is text, never markup.
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
export { render, createContext, Fragment } from "preact";
export { useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useContext, useId } from "preact/hooks";
