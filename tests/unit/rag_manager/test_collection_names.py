from itertools import product
from uuid import UUID

from rag_manager.stages.collection_names import CollectionNames

HERE = UUID("01234567-89ab-cdef-0123-456789abcdef")
IDS = [UUID(int=number) for number in (1, 2, 2**127)]


def test_each_tenant_repository_and_generation_has_a_name_of_its_own_that_shows_none_of_them() -> None:
    names = CollectionNames(HERE, b"k" * 32)

    made = {names.of(*ids) for ids in product(IDS, repeat=3)}

    assert len(made) == 27
    assert all(name.startswith("rs-0123456789ab-") and len(name) == 48 for name in made)
    assert not any(str(one).replace("-", "") in name for one in IDS for name in made)


def test_a_name_is_the_same_each_time_and_another_key_leads_to_another_name() -> None:
    ids = (IDS[0], IDS[1], IDS[2])

    assert CollectionNames(HERE, b"k" * 32).of(*ids) == CollectionNames(HERE, b"k" * 32).of(*ids)
    assert CollectionNames(HERE, b"k" * 32).of(*ids) != CollectionNames(HERE, b"j" * 32).of(*ids)


def test_names_of_before_are_known_as_ours_and_those_of_another_installation_are_not() -> None:
    names = CollectionNames(HERE, b"k" * 32)

    assert names.include("rs-0123456789ab-" + "f" * 32)
    assert not names.include("rs-fedcba987654-" + "f" * 32)
