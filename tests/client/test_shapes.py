"""What shapes say of themselves."""

from __future__ import annotations

from amtrio.client.shapes import SealedAttachment


def test_what_opens_a_file_is_in_no_log() -> None:
    """
    Nor what it is called.
    """
    file = SealedAttachment(attachment_id="att_1", filename="plan.txt", key="AAAA")
    assert repr([file]) == "[SealedAttachment('att_1')]"
