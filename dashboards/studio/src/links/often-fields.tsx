import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { plural } from "../parts/words";

interface Props {
  often: string;
  message: string;
  onOften: (often: string) => void;
  onMessage: (message: string) => void;
}

const ONCE = "";
const MINUTES = [5, 10, 15, 20, 30, 60];

/** How often it is said, and with which words before the address. */
export function OftenFields({ often, message, onOften, onMessage }: Props) {
  const options = MINUTES.map((count) => ({ value: String(count), title: `Every ${plural(count, "minute")}` }));
  return (
    <>
      <SelectField
        label="How often"
        help="Only while the show is live. A platform's own limits come first."
        value={often}
        options={[{ value: ONCE, title: "Once, when the show goes live" }, ...options]}
        onChoose={onOften}
      />
      <TextField
        label="Words before the address"
        placeholder="Shop the show:"
        maxLength={200}
        value={message}
        onText={onMessage}
      />
    </>
  );
}

export function minutesOf(often: string): number | null {
  return often === ONCE ? null : Number(often);
}
