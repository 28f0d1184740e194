import type { Figure } from "@simulcast/api";
import { useId } from "react";

interface Props {
  /** Undefined while the definitions are still loading: the name stands alone. */
  figure: Figure | undefined;
  name?: string;
}

/** A figure's name with what it means behind it: by mouse, finger or keyboard. Escape closes it. */
export function Defined({ figure, name }: Props) {
  const id = useId();
  const title = name ?? figure?.title ?? "";
  if (!figure) return <>{title}</>;
  return (
    <span className="defined">
      {title}
      <button type="button" className="what" popoverTarget={id} aria-label={`What ${title} means`}>
        ?
      </button>
      <span id={id} popover="auto" className="definition" role="note">
        <strong>{figure.title}</strong>
        <span>{figure.words}</span>
        {figure.base && <span>Divided by: {figure.base.toLowerCase()}.</span>}
        <span className="quiet-text">From: {figure.source}</span>
      </span>
    </span>
  );
}
