import type { Variant } from "@simulcast/api";
import { Notice } from "../parts/notice";
import { refusalWords } from "./refusal-words";

/** The shops that did not take this variant's stock, and what to do about it. */
export function Refusals({ variant }: { variant: Variant }) {
  return variant.refused.map((refusal) => (
    <Notice key={`${refusal.platform} ${refusal.account}`} tone="warn">
      {refusalWords(refusal, variant.stock.available)}
    </Notice>
  ));
}
