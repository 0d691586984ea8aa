# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""UUIDv7."""

import threading
import uuid

from hib.protocol.ids import is_uuid, uuid7
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 2**48 - 1))
def test_form_and_time(now_ms):
    value = uuid.UUID(uuid7(now_ms))
    assert value.version == 7 and value.variant == uuid.RFC_4122
    assert value.int >> 80 == now_ms


def test_ids_of_one_process_only_grow():
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made) and len(set(made)) == len(made)


def test_ids_of_one_given_millisecond_grow():
    made = [uuid7(1_700_000_000_000) for _ in range(2_000)]
    assert made == sorted(made) and len(set(made)) == len(made)


def test_a_given_time_does_not_move_the_live_ids():
    before = uuid7()
    uuid7(2**47)
    after = uuid7()
    assert before < after
    assert uuid.UUID(after).int >> 80 < 2**47


def test_threads_never_make_the_same_id():
    made: list[str] = []

    def work():
        mine = [uuid7() for _ in range(2_000)]
        assert mine == sorted(mine)
        made.extend(mine)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16_000


def test_is_uuid():
    assert is_uuid(uuid7()) and is_uuid(str(uuid.uuid4()).upper())
    for value in (
        "",
        "x",
        None,
        5,
        uuid7()[:-1],
        uuid7() + "\n",
        uuid7().replace("-", ""),
    ):
        assert not is_uuid(value)
