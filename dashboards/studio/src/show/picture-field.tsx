import { useMutation } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useApi } from "../api";
import { Problem } from "../parts/problem";

interface Props {
  showId: string;
  asset: string | null;
  onAsset: (asset: string | null) => void;
  label: string;
  /** What the picture is, for who can't see it. */
  alt: string;
  remove: string;
  help: string;
  /** Media types, with commas between them. */
  accept: string;
}

/** A picture (or a loop) of a show: kept as soon as it is chosen, used when the form is saved. */
export function PictureField({ showId, asset, onAsset, label, alt, remove, help, accept }: Props) {
  const api = useApi();
  const id = useId();
  const [loop, setLoop] = useState(false);
  const keep = useMutation({
    mutationFn: (file: File) => api.addAsset(showId, file),
    onSuccess: ({ sha256, media_type: type }) => {
      setLoop(type.startsWith("video/"));
      onAsset(sha256);
    },
  });
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {asset && (
        <div className="row">
          {loop ? (
            <span className="quiet-text">A video loop</span>
          ) : (
            <img
              className="slate"
              src={api.assetUrl(showId, asset)}
              alt={alt}
              onError={() => setLoop(accept.includes("video/"))}
            />
          )}
          <button type="button" className="small" onClick={() => onAsset(null)}>
            {remove}
          </button>
        </div>
      )}
      <input
        id={id}
        type="file"
        accept={accept}
        aria-describedby={`${id}-help`}
        disabled={keep.isPending}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) keep.mutate(file);
          event.target.value = "";
        }}
      />
      <span className="quiet-text" id={`${id}-help`} role="status">
        {keep.isPending ? "Uploading…" : help}
      </span>
      <Problem error={keep.error} />
    </div>
  );
}
