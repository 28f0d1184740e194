import type { Target } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useApi } from "../../api";
import { Problem } from "../../parts/problem";

/** The hub keeps a removed target's broadcast for 30 s. */
const KEPT_MS = 27_000;

interface Props {
  showId: string;
  target: Target;
  onRestored: () => Promise<unknown>;
  onOver: () => void;
}

/** Says what was removed, and takes it back. It has the focus: the row that had it is gone. */
export function Undo({ showId, target, onRestored, onOver }: Props) {
  const api = useApi();
  const button = useRef<HTMLButtonElement>(null);
  const restore = useMutation({
    mutationFn: async () => {
      await api.restoreTarget(showId, target.id);
      await onRestored();
    },
    onSuccess: onOver,
  });
  useEffect(() => {
    button.current?.focus();
    const timer = setTimeout(onOver, KEPT_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="stack tight">
      <div className="notice tone-busy" role="status">
        <p>{target.name} was removed. It gets no picture any more.</p>
        <button ref={button} type="button" className="small" onClick={() => restore.mutate()}>
          Undo
        </button>
      </div>
      <Problem error={restore.error} />
    </div>
  );
}
