/** The overlay of a profile as the form edits it: at most one text, one QR code and one product card. Pure. */

import type { Anchor, Layer, Profile } from "@simulcast/api";

export interface Overlay {
  text: string;
  textAnchor: Anchor;
  qr: string;
  qrAnchor: Anchor;
  card: string;
  price: string;
  cardAnchor: Anchor;
}

export const ANCHORS: { value: Anchor; title: string }[] = [
  { value: "top", title: "Top" },
  { value: "top-left", title: "Top left" },
  { value: "top-right", title: "Top right" },
  { value: "bottom", title: "Bottom" },
  { value: "bottom-left", title: "Bottom left" },
  { value: "bottom-right", title: "Bottom right" },
];

/** What the form begins with. */
export function overlayOf(profile: Profile): Overlay {
  const find = <K extends Layer["kind"]>(kind: K) =>
    profile.layers.find((layer): layer is Extract<Layer, { kind: K }> => layer.kind === kind);
  const text = find("text");
  const qr = find("qr");
  const card = find("card");
  return {
    text: text?.text ?? "",
    textAnchor: text?.anchor ?? "top",
    qr: qr?.text ?? "",
    qrAnchor: qr?.anchor ?? "top-right",
    card: card?.title ?? "",
    price: card?.price ?? "",
    cardAnchor: card?.anchor ?? "bottom",
  };
}

/** The profile's layers with what was entered; layers that the form does not know stay. */
export function layersOf(profile: Profile, overlay: Overlay): Layer[] {
  const edited = ["text", "qr", "card"];
  const before = <K extends Layer["kind"]>(kind: K) =>
    profile.layers.find((layer): layer is Extract<Layer, { kind: K }> => layer.kind === kind);
  const layers: Layer[] = profile.layers.filter((layer) => !edited.includes(layer.kind));
  const { text, textAnchor, qr, qrAnchor, card, price, cardAnchor } = overlay;
  if (text.trim()) {
    layers.push({ width: 0.8, ...before("text"), kind: "text", text: text.trim(), anchor: textAnchor });
  }
  if (qr.trim()) layers.push({ width: 0.25, ...before("qr"), kind: "qr", text: qr.trim(), anchor: qrAnchor });
  if (card.trim()) {
    const shown = { title: card.trim(), price: price.trim(), anchor: cardAnchor };
    layers.push({ width: 0.6, ...before("card"), kind: "card", ...shown });
  }
  return layers;
}
