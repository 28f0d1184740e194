import type { ShowChange, Target } from "@simulcast/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useApi } from "../../api";
import { PlatformBadge } from "../../parts/platform-badge";
import { Problem } from "../../parts/problem";

interface Props {
  showId: string;
  draft: ShowChange;
  targets: Target[];
}

/** Typing is not asked after letter by letter. */
const SETTLED_MS = 500;

/** What each platform would show of the texts, and what gets lost there. */
export function Told({ showId, draft, targets }: Props) {
  const api = useApi();
  const settled = useSettled(JSON.stringify(draft), SETTLED_MS);
  const preview = useQuery({
    queryKey: ["told", showId, settled],
    queryFn: () => api.previewShow(showId, JSON.parse(settled) as ShowChange),
    placeholderData: keepPreviousData,
  });
  const named = new Map(targets.map((target) => [target.id, target]));
  return (
    <section className="stack tight" aria-labelledby="told">
      <h3 id="told">On each platform</h3>
      <Problem error={preview.error} />
      <ul className="told">
        {preview.data?.map(({ target_id: id, title, description, notes }) => {
          const target = named.get(id);
          if (!target) return null;
          return (
            <li key={id}>
              <div className="row tight">
                <PlatformBadge platform={target.platform || target.connector} />
                <strong>{target.name}</strong>
              </div>
              {title !== null && <p>{title}</p>}
              {description && <p className="quiet-text as-shown">{description}</p>}
              {notes.map((note) => (
                <p key={note} className="backup text-warn">
                  {note}
                </p>
              ))}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
