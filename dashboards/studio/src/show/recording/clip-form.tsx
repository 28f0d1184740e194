import { ApiError, type RecordedFile, type ServerClock } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../../api";
import { Notice } from "../../parts/notice";
import { Problem } from "../../parts/problem";
import { TextField } from "../../parts/text-field";
import {
  breakLine,
  breaksOf,
  clipLine,
  lastMinute,
  secondsOf,
  type Span,
  type SpanProblems,
  spanProblems,
  wholeShow,
} from "./recording-words";

interface Props {
  showId: string;
  liveAt: string;
  endedAt: string | null;
  files: RecordedFile[];
  clock: ServerClock;
}

/** Cuts a piece out of the recording by the show's own time, as its clock in the head shows it. */
export function ClipForm({ showId, liveAt, endedAt, files, clock }: Props) {
  const api = useApi();
  const elapsed = () => ((endedAt ? Date.parse(endedAt) : clock.now()) - Date.parse(liveAt)) / 1_000;
  const breaks = breaksOf(files, liveAt);
  const [span, setSpan] = useState(() => lastMinute(elapsed(), breaks));
  const [problems, setProblems] = useState<SpanProblems>({});
  const cut = useMutation({
    mutationFn: (wish: { begins_s: number; ends_s: number }) => api.cutClip(showId, wish),
  });
  const set = (part: Partial<Span>) => {
    setProblems({});
    setSpan({ ...span, ...part });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (cut.isPending) return;
    const found = spanProblems(span, elapsed());
    setProblems(found);
    const [begins, ends] = [secondsOf(span.from), secondsOf(span.to)];
    if (Object.keys(found).length || begins === null || ends === null) return;
    cut.mutate({ begins_s: begins, ends_s: ends });
  };
  const refused = cut.error instanceof ApiError && cut.error.code === "clip_impossible";
  const across = refused && cut.variables ? breakLine(cut.variables.begins_s, cut.variables.ends_s, breaks) : "";
  return (
    <form className="stack tight" onSubmit={submit} noValidate>
      <h3>Cut a clip</h3>
      <div className="span">
        <TextField
          label="From"
          autoComplete="off"
          value={span.from}
          problem={problems.from}
          onText={(from) => set({ from })}
        />
        <TextField label="To" autoComplete="off" value={span.to} problem={problems.to} onText={(to) => set({ to })} />
      </div>
      <p className="quiet-text">Times count from going live, as minutes:seconds.</p>
      <div className="row">
        <button aria-disabled={cut.isPending}>{cut.isPending ? "Cutting…" : "Cut clip"}</button>
        <button type="button" className="small plain" onClick={() => set(lastMinute(elapsed(), breaks))}>
          Last minute
        </button>
        <button type="button" className="small plain" onClick={() => set(wholeShow(elapsed()))}>
          Whole show
        </button>
      </div>
      {across ? <Notice tone="bad">{across}</Notice> : <Problem error={cut.error} />}
      {cut.data && (
        <Notice
          tone="good"
          action={
            <a className="button small" href={cut.data.url} download={cut.data.name}>
              Download clip
            </a>
          }
        >
          {clipLine(cut.data, cut.variables.begins_s)}
        </Notice>
      )}
    </form>
  );
}
