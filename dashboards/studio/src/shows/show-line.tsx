import type { ShowSummary } from "@simulcast/api";
import { linkTo, PATHS } from "../navigation";
import { Pill } from "../parts/pill";
import { stateOf, whenOf } from "./show-words";

export function ShowLine({ show }: { show: ShowSummary }) {
  const { label, tone } = stateOf(show);
  return (
    <li>
      <a className="card" {...linkTo(PATHS.show(show.id))}>
        <span className="title">{show.title}</span>
        <span className="quiet-text">{whenOf(show)}</span>
        <Pill tone={tone}>{label}</Pill>
      </a>
    </li>
  );
}
