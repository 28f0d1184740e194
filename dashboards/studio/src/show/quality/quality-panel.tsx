import "./quality.css";
import type { Grade, Quality } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { memo } from "react";
import { useApi } from "../../api";
import { QUALITY } from "../../cache";
import { Loading } from "../../parts/loading";
import { Notice } from "../../parts/notice";
import { Pill } from "../../parts/pill";
import { Fold } from "../fold";
import { Panel } from "../panel";
import { QualityHistory } from "./quality-history";
import { errorWords, figuresOf, gradeWords, overall } from "./quality-words";
import { RegionHistory } from "./region-history";
import { apart } from "./region-words";
import { RegionTable } from "./regions";
import { Probes, Viewers } from "./sessions";

const EVERY_MS = 5_000;

interface Props {
  showId: string;
  live: boolean;
}

/** What the players of viewers report: does it start, does it stand still, how late is it, how sharp. */
export const QualityPanel = memo(function QualityPanel({ showId, live }: Props) {
  const api = useApi();
  const { data, error } = useQuery({
    queryKey: [...QUALITY, showId],
    queryFn: ({ signal }) => api.quality(showId, signal),
    refetchInterval: live ? EVERY_MS : 6 * EVERY_MS,
  });
  return (
    <Panel id="quality" title="How viewers see it" aside={data && <Word grade={overall(data)} />}>
      {error && <Notice tone="warn">These figures can't be read right now. This page keeps asking.</Notice>}
      {!data && !error && <Loading what="what viewers report" />}
      {data && data.sessions === 0 && (
        <p className="quiet-text">
          {live
            ? "No player has reported yet. The figures begin ten seconds after somebody opens your watch page."
            : "Nobody watched this show on your watch page."}
        </p>
      )}
      {data && data.sessions > 0 && <Figures quality={data} showId={showId} live={live} />}
      {data && data.probes.length > 0 && (
        <Fold title={`Probes (${data.probes.length})`}>
          <Probes probes={data.probes} />
        </Fold>
      )}
    </Panel>
  );
});

function Figures({ quality, showId, live }: Props & { quality: Quality }) {
  return (
    <>
      <dl className="seen number">
        {figuresOf(quality).map(({ title, value, detail, grade, meaning }) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>
              <strong>{value}</strong> <Word grade={grade} />
              {detail && <span>{detail}</span>}
              <span className="quiet-text">{meaning}</span>
            </dd>
          </div>
        ))}
      </dl>
      {apart(quality.regions) && <RegionTable regions={quality.regions} />}
      {quality.errors.length > 0 && <Errors errors={quality.errors} />}
      <Fold title="Over time">
        <QualityHistory showId={showId} live={live} />
      </Fold>
      {apart(quality.regions) && (
        <Fold title="Regions over time">
          <RegionHistory showId={showId} live={live} />
        </Fold>
      )}
      <Fold title="Viewers one by one">
        <Viewers showId={showId} live={live} />
      </Fold>
    </>
  );
}

function Word({ grade }: { grade: Grade | null }) {
  const words = gradeWords(grade);
  return words && <Pill tone={words.tone}>{words.label}</Pill>;
}

function Errors({ errors }: Pick<Quality, "errors">) {
  return (
    <table className="sales number">
      <caption>
        Errors <span className="quiet-text">What players met; most went on by themselves.</span>
      </caption>
      <thead>
        <tr>
          <th scope="col">Error</th>
          <th scope="col">Times</th>
          <th scope="col">Players</th>
        </tr>
      </thead>
      <tbody>
        {errors.map(({ code, count, sessions, detail }) => (
          <tr key={code}>
            <th scope="row">
              {errorWords(code)}
              {detail && <span className="quiet-text"> {detail}</span>}
            </th>
            <td>{count}</td>
            <td>{sessions}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
