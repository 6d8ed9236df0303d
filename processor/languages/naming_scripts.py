"""How Python, JavaScript and TypeScript, Ruby and PHP name things. Data."""

from processor.languages.naming import FIRST, LAST, TYPES, Naming, roles_of

PYTHON = Naming(
    words=frozenset({"identifier"}),
    chains={"attribute": ("object", "attribute")},
    roles=roles_of(
        called="call.function decorator",
        new="""parameters lambda_parameters default_parameter.name typed_parameter typed_default_parameter.name
        assignment.left augmented_assignment.left for_statement.left for_in_clause.left as_pattern_target
        named_expression.name pattern_list tuple_pattern list_pattern list_splat_pattern dictionary_splat_pattern
        case_pattern global_statement nonlocal_statement""",
        passed="""function_definition.name class_definition.name keyword_argument.name import_statement
        import_from_statement dotted_name aliased_import""",
    ),
)
SCRIPT = Naming(
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
    roles=roles_of(
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
RUBY = Naming(
    words=frozenset({"constant"}),
    chains={"scope_resolution": ("scope", "name")},
    roles=roles_of(
        called="call.method superclass",
        passed="assignment.left left_assignment_list operator_assignment.left",
        none="class.name module.name",
    ),
    unimported=TYPES,
    within=b"::",
)
PHP = Naming(
    words=frozenset({"name"}),
    chains={
        "class_constant_access_expression": (FIRST, LAST),
        "scoped_property_access_expression": ("scope", "name"),
    },
    roles=roles_of(
        called="""function_call_expression.function object_creation_expression base_clause class_interface_clause
        use_declaration""",
        passed="""class_declaration.name interface_declaration.name trait_declaration.name enum_declaration.name
        function_definition.name method_declaration.name enum_case.name const_element.#first namespace_definition
        namespace_name argument.name goto_statement named_label_statement variable_name qualified_name
        scoped_call_expression.name member_call_expression.name member_access_expression.name
        nullsafe_member_call_expression.name nullsafe_member_access_expression.name""",
    ),
    unimported=TYPES,
    within=b"::",
)
