/** The player's pictures: 24 × 24, drawn with the text's colour. */

import { svg } from "lit";

const icon = (paths: ReturnType<typeof svg>) => svg`<svg viewBox="0 0 24 24" aria-hidden="true">${paths}</svg>`;

export const play = icon(svg`<path d="M7 4.5v15l12-7.5z"/>`);
export const pause = icon(svg`<path d="M8 5v14M16 5v14"/>`);
export const again = icon(svg`<path d="M4 12a8 8 0 1 0 2.6-5.9L4 8.5M4 4v4.5h4.5"/>`);
export const muted = icon(svg`<path d="M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5"/>`);
export const loud = icon(svg`<path d="M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11"/>`);
export const full = icon(svg`<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>`);
export const small = icon(svg`<path d="M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5"/>`);
export const captions = icon(svg`<path d="M3 5.5h18v13H3zM10.5 10.7a2 2 0 1 0 0 2.6M17 10.7a2 2 0 1 0 0 2.6"/>`);
export const pip = icon(svg`<path d="M21 10.5v-6H3v14h6M12 12.5h9v7h-9z"/>`);
export const close = icon(svg`<path d="M6 6l12 12M18 6L6 18"/>`);
export const settings = icon(
  svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
);
export const back = icon(svg`<path d="M12 19V5M6 11l6-6 6 6"/>`);
