"""How the trees of languages tell names apart: where one is new, where it is used, where it is neither. Data.

A place is a node's type and the field of it that a name is in (`type.field`), or `type` for any of its fields.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple


class Naming(NamedTuple):
    """One language's. In `words` names stand; `chains` ask a thing (first field) for a name (second field).

    `roles` are by a node's type and a field of it (empty: any): a name there is `new` in the function around, `called`,
    or `passed`: it names what stands there, or is only a label. `lists` stand between a place and the names in it.
    """

    words: frozenset[str]
    chains: Mapping[str, tuple[str, str]]
    roles: Mapping[str, Mapping[str, str]]
    lists: frozenset[str] = frozenset()


def _roles(**places: str) -> Mapping[str, Mapping[str, str]]:
    roles: dict[str, dict[str, str]] = defaultdict(dict)
    for role, written in places.items():
        for kind, _, field in (one.partition(".") for one in written.split()):
            roles[kind][field] = role
    return dict(roles)


_PYTHON = Naming(
    words=frozenset({"identifier"}),
    chains={"attribute": ("object", "attribute")},
    roles=_roles(
        called="call.function decorator",
        new="""parameters lambda_parameters default_parameter.name typed_parameter typed_default_parameter.name
        assignment.left augmented_assignment.left for_statement.left for_in_clause.left as_pattern_target
        named_expression.name pattern_list tuple_pattern list_pattern list_splat_pattern dictionary_splat_pattern
        case_pattern global_statement nonlocal_statement""",
        passed="""function_definition.name class_definition.name keyword_argument.name import_statement
        import_from_statement dotted_name aliased_import""",
    ),
)
_SCRIPT = Naming(
    words=frozenset(
        {
            "identifier",
            "type_identifier",
            "property_identifier",
            "shorthand_property_identifier",
            "shorthand_property_identifier_pattern",
        }
    ),
    chains={
        "member_expression": ("object", "property"),
        "nested_type_identifier": ("module", "name"),
        "nested_identifier": ("object", "property"),
    },
    roles=_roles(
        called="""call_expression.function new_expression.constructor decorator jsx_opening_element.name
        jsx_closing_element.name jsx_self_closing_element.name""",
        new="""formal_parameters required_parameter.pattern optional_parameter.pattern variable_declarator.name
        assignment_pattern.left rest_pattern array_pattern object_pattern pair_pattern.value catch_clause.parameter
        arrow_function.parameter for_in_statement.left type_parameter.name object_assignment_pattern.left
        type_predicate.name index_signature.name infer_type""",
        passed="""function_declaration.name generator_function_declaration.name class_declaration.name class.name
        abstract_class_declaration.name interface_declaration.name type_alias_declaration.name enum_declaration.name
        function_expression.name generator_function.name function_signature.name module.name internal_module.name
        import_specifier import_clause namespace_import export_specifier namespace_export import_require_clause
        method_definition.name public_field_definition.name field_definition.property property_signature.name
        method_signature.name abstract_method_signature.name pair.key enum_assignment.name enum_body
        assignment_expression.left labeled_statement.label break_statement.label continue_statement.label jsx_attribute
        named_tuple_member""",
    ),
)
_GO = Naming(
    words=frozenset({"identifier", "type_identifier", "package_identifier"}),
    chains={"selector_expression": ("operand", "field"), "qualified_type": ("package", "name")},
    roles=_roles(
        called="call_expression.function composite_literal.type",
        new="""parameter_declaration.name variadic_parameter_declaration.name short_var_declaration.left
        range_clause.left var_spec.name const_spec.name type_parameter_declaration.name receive_statement.left
        type_switch_statement.alias""",
        passed="""function_declaration.name method_declaration.name type_spec.name type_alias.name
        field_declaration.name import_spec package_clause labeled_statement.label goto_statement break_statement
        continue_statement keyed_element assignment_statement.left method_elem.name""",
    ),
    lists=frozenset({"expression_list", "literal_element"}),
)
_JAVA = Naming(
    words=frozenset({"identifier", "type_identifier"}),
    chains={"field_access": ("object", "field")},
    roles=_roles(
        called="method_invocation.name object_creation_expression.type",
        new="""formal_parameter.name variable_declarator.name catch_formal_parameter.name enhanced_for_statement.name
        inferred_parameters lambda_expression.parameters resource.name type_parameter instanceof_expression.name
        type_pattern record_pattern_component spread_parameter""",
        passed="""class_declaration.name interface_declaration.name enum_declaration.name record_declaration.name
        annotation_type_declaration.name method_declaration.name constructor_declaration.name
        annotation_type_element_declaration.name enum_constant.name scoped_identifier scoped_type_identifier
        element_value_pair.key labeled_statement break_statement continue_statement package_declaration
        import_declaration assignment_expression.left switch_label""",
    ),
)
_LANGUAGES = {
    "python": _PYTHON,
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "go": _GO,
    "java": _JAVA,
}
LANGUAGES = frozenset(_LANGUAGES)


def naming_of(language: str) -> Naming | None:
    """How a language names things; None where nobody wrote that down."""
    return _LANGUAGES.get(language)
