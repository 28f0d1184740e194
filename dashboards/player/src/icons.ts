/** The player's pictures: 24 × 24, drawn with the text's colour. */

import { svg } from "lit";

const icon = (paths: ReturnType<typeof svg>) => svg`<svg viewBox="0 0 24 24" aria-hidden="true">${paths}</svg>`;

export const play = icon(svg`<path d="M7 4.5v15l12-7.5z"/>`);
export const pause = icon(svg`<path d="M8 5v14M16 5v14"/>`);
export const muted = icon(svg`<path d="M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5"/>`);
export const loud = icon(svg`<path d="M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11"/>`);
export const full = icon(svg`<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>`);
