import { useId } from "react";

interface Props {
  label: string;
  help?: string | undefined;
  maxLength?: number;
  value: string;
  onText: (text: string) => void;
}

/** A labelled text of several lines. */
export function TextArea({ label, help, maxLength, value, onText }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        value={value}
        {...(maxLength === undefined ? {} : { maxLength })}
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
