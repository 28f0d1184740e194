/** Which pieces of an order to give back: a choice for each line. */

import type { MyOrder } from "@simulcast/api";
import { html, type TemplateResult } from "lit";

/** `most`: all of them are chosen to begin with, else none. */
export function piecesFields(order: MyOrder, most: boolean): TemplateResult[] {
  return order.lines
    .filter(({ returnable }) => returnable > 0)
    .map(
      ({ id, title, returnable }) => html`
        <label>
          Pieces of ${title}
          <select name="line:${id}">
            ${Array.from(
              { length: returnable + 1 },
              (_, n) => html`<option value=${n} ?selected=${n === (most ? returnable : 0)}>${n}</option>`,
            )}
          </select>
        </label>
      `,
    );
}
