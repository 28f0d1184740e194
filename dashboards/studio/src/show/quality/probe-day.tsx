import type { Hour } from "./region-words";
import { clockHour, dayWords } from "./region-words";

const WIDTH = 288;
const HEIGHT = 56;
const COLUMN = WIDTH / 24;
/** The least that the top stands for: small differences should look small. */
const LEAST_MS = 2_000;
const EVERY = 6;

/** A region's day: a column for each hour, as high as the first picture took; hours with failures are marked. */
export function ProbeDay({ hours }: { hours: Hour[] }) {
  const top = Math.max(LEAST_MS, ...hours.map((one) => one.startup ?? 0));
  return (
    <figure className="probe-day">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {hours.map(({ hour, runs, failed, startup }) => {
          const high = startup === null ? 0 : Math.max(2, (startup / top) * HEIGHT);
          const x = hour * COLUMN + 1;
          return (
            <g key={hour}>
              {runs > 0 && <rect className="probe-hour" x={x} y={0} width={COLUMN - 2} height={HEIGHT} />}
              <rect className="probe-wait" x={x} y={HEIGHT - high} width={COLUMN - 2} height={high} />
              {failed > 0 && <rect className="probe-failed" x={x} y={0} width={COLUMN - 2} height={4} />}
            </g>
          );
        })}
      </svg>
      <div className="probe-hours quiet-text" aria-hidden="true">
        {Array.from({ length: 24 / EVERY }, (_, index) => (
          <span key={index}>{clockHour(index * EVERY)}</span>
        ))}
      </div>
      <figcaption>{dayWords(hours)}</figcaption>
    </figure>
  );
}
