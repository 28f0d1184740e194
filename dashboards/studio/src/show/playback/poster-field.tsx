import { PictureField } from "../picture-field";

interface Props {
  showId: string;
  asset: string | null;
  onAsset: (asset: string | null) => void;
}

/** The picture before the play button. */
export function PosterField(props: Props) {
  return (
    <PictureField
      {...props}
      label="Poster (optional)"
      alt="The poster"
      remove="Remove poster"
      accept="image/png,image/jpeg,image/webp"
      help="PNG, JPEG or WebP, up to 5 MB. Everybody who has the show's address sees it."
    />
  );
}
