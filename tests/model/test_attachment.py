"""The rules for the files of one message."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtrio.errors import Malformed
from amtrio.model.attachment import MAX_PER_MESSAGE, check_ids, free_uploads, no_attachment
from amtrio.store.database import Tx
from tests.features.conftest import send
from tests.harness import open_scene


def test_a_message_has_ten_different_files_at_most() -> None:
    """Whether they are there and whose they are is tested with the features that link them."""
    check_ids([])
    check_ids([f"att_{n}" for n in range(MAX_PER_MESSAGE)])
    for ids in ([f"att_{n}" for n in range(MAX_PER_MESSAGE + 1)], ["att_1", "att_1"]):
        with pytest.raises(Malformed, match="attachment_ids"):
            check_ids(ids)


def test_a_missing_file_is_named_no_longer_than_an_id() -> None:
    assert len(str(no_attachment("x" * 5000))) < 100


async def test_uploads_that_can_still_become_part_of_a_message(tmp_path: Path) -> None:
    """Whole, one's own, and in no message yet; in the order that was asked for."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        await scene.register_agent("rival")
        said = await send(scene, alice, await scene.conversation(alice, helper), "look")

        def unit(tx: Tx) -> tuple[str, ...]:
            for id_, owner, state, message in (
                ("att_free", "a:helper", "stored", None),
                ("att_also", "a:helper", "stored", None),
                ("att_sent", "a:helper", "stored", said["message_id"]),
                ("att_half", "a:helper", "uploading", None),
                ("att_gone", "a:helper", "removing", None),
                ("att_rival", "a:rival", "stored", None),
            ):
                tx.run(
                    """
                    INSERT INTO attachment (id, owner_key, state, message_id, filename, created_us)
                    VALUES (:id, :owner, :state, :message, 'x', 0)""",
                    id=id_,
                    owner=owner,
                    state=state,
                    message=message,
                )
            asked = ("att_rival", "att_also", "att_sent", "att_half", "att_free", "att_gone", "att_none")
            return free_uploads(tx, "a:helper", asked)

        assert await scene.running.services.store.write(unit) == ("att_also", "att_free")
