import { TextField } from "../../parts/text-field";

export interface Address {
  url: string;
  key: string;
  passphrase: string;
}

interface Props {
  address: Address;
  example: string;
  help?: string | undefined;
  keyHelp: string;
  /** What was left empty stays as it is. */
  editing?: boolean;
  problems: Partial<Address>;
  onAddress: (address: Address) => void;
}

/** Server and key; a passphrase where the address is an SRT one. */
export function AddressFields({ address, example, help, keyHelp, editing, problems, onAddress }: Props) {
  const field = (name: keyof Address) => ({
    spellCheck: false,
    value: address[name],
    problem: problems[name],
    placeholder: editing ? "Unchanged" : undefined,
    onText: (text: string) => onAddress({ ...address, [name]: text }),
  });
  return (
    <>
      <TextField
        label="Server"
        help={[help, example && `For example ${example}`].filter(Boolean).join(" ")}
        inputMode="url"
        autoComplete="off"
        {...field("url")}
      />
      <TextField label="Stream key" help={keyHelp} type="password" autoComplete="new-password" {...field("key")} />
      {(address.url.startsWith("srt:") || address.passphrase) && (
        <TextField
          label="SRT passphrase (optional)"
          help="10 to 79 characters, if the place encrypts."
          type="password"
          autoComplete="new-password"
          {...field("passphrase")}
        />
      )}
    </>
  );
}

const ADDRESS = /^(rtmps?:\/\/[^/\s]+\/\S+|srt:\/\/[^/\s]+:[0-9]+\S*|https?:\/\/[^/\s]+\/\S*)$/;

/** What is wrong with an address, by field; empty when it can be sent. */
export function addressProblems({ url, key, passphrase }: Address, editing = false): Partial<Address> {
  const problems: Partial<Address> = {};
  if (!(editing && !url.trim()) && !ADDRESS.test(url.trim())) {
    problems.url = "This is no address to push to. It begins with rtmp://, rtmps://, srt:// or https://.";
  }
  if (!editing && !key.trim() && url.trim().startsWith("rtmp")) problems.key = "The stream key is needed.";
  if (passphrase && (passphrase.length < 10 || passphrase.length > 79)) {
    problems.passphrase = "An SRT passphrase has 10 to 79 characters.";
  }
  return problems;
}
