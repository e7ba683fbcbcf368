"""What one record may come to."""

from schemas.mapping import Mapper, Mapping


def mapper_of(extract, rules):
    fields = [{"extract": extract, "generate": f"f{number}"} for number in range(rules)]
    return Mapper(Mapping.model_validate({"fields": fields}))


def test_a_large_list_taken_again_and_again_is_a_fault_of_its_record():
    made = mapper_of("lines[*].x", 30).map({"lines": [{"x": number} for number in range(100_000)]})
    assert len(made.values) == 20
    assert {fault.message for fault in made.faults} == {"the mapping makes too much of this record"}
    assert len(made.faults) == 10


def test_a_large_text_taken_again_and_again_is_one_too():
    made = mapper_of("text", 40).map({"text": "x" * 1_000_000})
    assert (len(made.values), len(made.faults)) == (32, 8)
