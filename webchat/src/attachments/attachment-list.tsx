/** Files of a message. */

import type { Attachment } from "@amtrio/client";

export function AttachmentList({ attachments }: { readonly attachments: readonly Attachment[] }) {
  return (
    <ul>
      {attachments.map(({ attachment_id, filename }) => (
        <li key={attachment_id}>{filename}</li>
      ))}
    </ul>
  );
}
