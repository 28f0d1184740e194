import { PictureField } from "../picture-field";

interface Props {
  showId: string;
  asset: string | null;
  onAsset: (asset: string | null) => void;
}

/** The brand's own slate. */
export function SlatePicture(props: Props) {
  return (
    <PictureField
      {...props}
      label="Picture or loop on the slate (optional)"
      alt="The slate"
      remove="Remove picture"
      accept="image/png,image/jpeg,image/webp,video/mp4"
      help="PNG, JPEG, WebP or MP4, up to 5 MB."
    />
  );
}
