import { useId } from "react";

interface Props {
  label: string;
  help?: string;
  value: string;
  onText: (text: string) => void;
}

/** A labelled text of a few lines. */
export function Lines({ label, help, value, onText }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="bare order-text"
        rows={3}
        maxLength={1000}
        value={value}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(event) => onText(event.target.value)}
      />
      {help && (
        <span className="quiet-text" id={`${id}-help`}>
          {help}
        </span>
      )}
    </div>
  );
}
