"""The rules for the files of one message."""

from __future__ import annotations

import pytest

from amtrio.errors import Malformed
from amtrio.model.attachment import MAX_PER_MESSAGE, check_ids, no_attachment


def test_a_message_has_ten_different_files_at_most() -> None:
    """Whether they are there and whose they are is tested with the features that link them."""
    check_ids([])
    check_ids([f"att_{n}" for n in range(MAX_PER_MESSAGE)])
    for ids in ([f"att_{n}" for n in range(MAX_PER_MESSAGE + 1)], ["att_1", "att_1"]):
        with pytest.raises(Malformed, match="attachment_ids"):
            check_ids(ids)


def test_a_missing_file_is_named_no_longer_than_an_id() -> None:
    assert len(str(no_attachment("x" * 5000))) < 100
