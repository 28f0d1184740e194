import type { Cue } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../../api";
import { Problem } from "../../parts/problem";
import { TextField } from "../../parts/text-field";
import { showTime } from "./player-words";

interface Props {
  showId: string;
  liveAt: string | null;
  live: boolean;
  chapters: Cue[];
  onAdded: () => Promise<unknown>;
}

/** Chapters of the show and of its replay. Highlighted products are marked by themselves. */
export function ChapterForm({ showId, liveAt, live, chapters, onAdded }: Props) {
  const api = useApi();
  const [title, setTitle] = useState("");
  const add = useMutation({
    mutationFn: async (words: string) => {
      await api.addChapter(showId, words);
      await onAdded();
    },
    onSuccess: () => setTitle(""),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (title.trim() && !add.isPending) add.mutate(title.trim());
  };
  if (!live && chapters.length === 0) return null;
  return (
    <form className="stack tight" onSubmit={submit} noValidate>
      <h3>Chapters</h3>
      {live && (
        <>
          <TextField
            label="A chapter begins now"
            help="It is marked in the player and in the replay. Highlighted products are marked by themselves."
            maxLength={120}
            autoComplete="off"
            value={title}
            onText={(text) => {
              add.reset();
              setTitle(text);
            }}
          />
          <div className="row">
            <button aria-disabled={add.isPending || !title.trim()}>{add.isPending ? "Adding…" : "Begin chapter"}</button>
          </div>
        </>
      )}
      <Problem error={add.error} />
      {chapters.length > 0 && (
        <ol className="chapters" aria-label="Chapters so far">
          {chapters.map((chapter) => (
            <li key={chapter.id}>
              <span className="quiet-text number">{showTime(chapter.begins_at, liveAt)}</span>
              <span className="wrap">{chapter.title}</span>
            </li>
          ))}
        </ol>
      )}
    </form>
  );
}
