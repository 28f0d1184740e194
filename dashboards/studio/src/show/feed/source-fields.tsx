import type { Feed, NewSource, SourceKind } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../../api";
import { CheckField } from "../../parts/check-field";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { LinesField } from "./lines-field";
import { addressesOf, SOURCE_KINDS, sourceLine, sourceProblem } from "./source-words";

interface Props {
  showId: string;
  source: Feed["source"];
  onChanged: () => Promise<unknown>;
}

/** For channels without an encoder. An encoder that sends goes before the source. */
export function SourceFields({ showId, source, onChanged }: Props) {
  const api = useApi();
  const [kind, setKind] = useState<SourceKind | "none">(source?.kind ?? "none");
  const [text, setText] = useState("");
  const [loop, setLoop] = useState(source?.loop ?? true);
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: async (wish: NewSource | null) => {
      await api.changeFeed(showId, { source: wish });
      await onChanged();
    },
    onSuccess: () => {
      setText("");
      setTried(false);
    },
  });
  const chosen = SOURCE_KINDS.find((one) => one.value === kind);
  const problem = sourceProblem(kind, text, source);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (problem || save.isPending) return;
    save.mutate(kind === "none" ? null : { kind, addresses: addressesOf(kind, text), loop });
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <p className="quiet-text">{sourceLine(source)}</p>
      <SelectField
        label="What plays"
        value={kind}
        options={SOURCE_KINDS}
        onChoose={(value) => {
          save.reset();
          setTried(false);
          setText("");
          setKind(value as SourceKind | "none");
        }}
      />
      {chosen?.label && (
        <LinesField
          label={chosen.label}
          help={
            source?.kind === kind
              ? `${chosen.help} Leave it empty to keep what is set: it is secret and not shown again.`
              : chosen.help
          }
          problem={tried ? problem : undefined}
          lines={kind === "playlist" ? 4 : 1}
          value={text}
          onText={(words) => {
            save.reset();
            setText(words);
          }}
        />
      )}
      {(kind === "file" || kind === "playlist") && (
        <CheckField label="Begin again at the end" checked={loop} onCheck={setLoop} />
      )}
      <Problem error={save.error} />
      <div className="row">
        <button aria-disabled={save.isPending}>{save.isPending ? "Saving…" : "Save source"}</button>
        <span className="quiet-text" role="status">
          {save.isSuccess && "Saved."}
        </span>
      </div>
    </form>
  );
}
