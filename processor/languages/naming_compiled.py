"""How Go, Java, C and C++, C#, Rust, Kotlin, Scala and Swift name things. Data."""

import re

from processor.languages.naming import FIRST, LAST, TYPES, Naming, roles_of

GO = Naming(
    words=frozenset({"identifier", "type_identifier", "package_identifier"}),
    chains={"selector_expression": ("operand", "field"), "qualified_type": ("package", "name")},
    roles=roles_of(
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
JAVA = Naming(
    words=frozenset({"identifier", "type_identifier"}),
    chains={"field_access": ("object", "field")},
    roles=roles_of(
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
_C_WORDS = re.compile(rb"[A-Z]|(?!(?:u?int|s?size|ptrdiff|w?char)[\w]*_t\Z)[a-z]\w*_t\Z")
_C_USED = """array_declarator.size preproc_if.condition preproc_elif.condition
    parameter_declaration.type optional_parameter_declaration.type optional_parameter_declaration.default_value
    variadic_parameter_declaration.type"""
_C_NEW = """parameter_list init_declarator.declarator declaration.declarator for_range_loop.declarator preproc_params
    structured_binding_declarator lambda_capture_initializer.left"""
_C_GENERIC = """template_parameter_list type_parameter_declaration optional_type_parameter_declaration.name
    variadic_type_parameter_declaration template_template_parameter_declaration field_declaration.declarator"""
_C_PASSED = """field_expression.field field_initializer field_designator enumerator.name
    type_definition.declarator alias_declaration.name concept_definition.name namespace_alias_definition.name
    using_declaration preproc_def.name preproc_function_def.name assignment_expression.left translation_unit
    declaration_list template_declaration friend_declaration preproc_ifdef preproc_defined preproc_if preproc_else
    preproc_elif linkage_specification nested_namespace_specifier qualified_identifier.scope"""
C = Naming(
    words=frozenset({"identifier", "type_identifier", "namespace_identifier", "field_identifier"}),
    chains={"qualified_identifier": ("scope", "name")},
    roles=roles_of(
        used=_C_USED,
        called="call_expression.function new_expression.type base_class_clause",
        new=_C_NEW,
        generic=_C_GENERIC,
        own="class_specifier.name struct_specifier.name union_specifier.name enum_specifier.name",
        passed=_C_PASSED,
        none="namespace_definition.name function_declarator.declarator",
    ),
    lists=frozenset(
        {
            "pointer_declarator",
            "reference_declarator",
            "array_declarator",
            "parenthesized_declarator",
            "variadic_declarator",
            "parameter_declaration",
            "optional_parameter_declaration",
            "variadic_parameter_declaration",
            "template_type",
            "template_function",
            "struct_specifier",
            "union_specifier",
            "enum_specifier",
            "class_specifier",
        }
    ),
    unimported=_C_WORDS,
    within=b"::",
    tagged=frozenset({b"struct", b"union", b"enum"}),
)
CSHARP = Naming(
    words=frozenset({"identifier", "implicit_parameter"}),
    chains={"member_access_expression": ("expression", "name"), "qualified_name": ("qualifier", "name")},
    roles=roles_of(
        called="invocation_expression.function object_creation_expression.type base_list",
        new="""parameter.name parameter_list.name variable_declarator.name declaration_expression.name tuple_pattern
        declaration_pattern.name recursive_pattern.name var_pattern.name catch_declaration.name foreach_statement.left
        from_clause.name let_clause.name join_clause.name lambda_expression.parameters""",
        generic="type_parameter.name type_parameter_constraints_clause",
        none="namespace_declaration.name file_scoped_namespace_declaration.name using_directive",
        passed="""class_declaration.name struct_declaration.name interface_declaration.name enum_declaration.name
        record_declaration.name delegate_declaration.name method_declaration.name constructor_declaration.name
        destructor_declaration.name local_function_statement.name property_declaration.name event_declaration.name
        enum_member_declaration.name argument.name attribute_argument.name goto_statement labeled_statement
        assignment_expression.left subpattern member_binding_expression tuple_element.name alias_qualified_name
        anonymous_object_creation_expression name_colon""",
    ),
    lists=frozenset({"generic_name"}),
    unimported=TYPES,
    within=b"::",
)
RUST = Naming(
    words=frozenset({"identifier", "type_identifier", "shorthand_field_identifier"}),
    chains={"scoped_identifier": ("path", "name"), "scoped_type_identifier": ("path", "name")},
    roles=roles_of(
        used="tuple_struct_pattern.type struct_pattern.type match_pattern.condition",
        called="call_expression.function macro_invocation.macro struct_expression.name impl_item.trait",
        new="""parameter.pattern let_declaration.pattern closure_parameters for_expression.pattern tuple_pattern
        ref_pattern mut_pattern reference_pattern slice_pattern captured_pattern tuple_struct_pattern
        field_pattern.pattern field_pattern.name let_condition.pattern""",
        generic="type_parameter.name const_parameter.name",
        passed="""function_item.name function_signature_item.name struct_item.name enum_item.name union_item.name
        trait_item.name type_item.name associated_type.name const_item.name static_item.name mod_item.name
        macro_definition.name enum_variant.name impl_item.type label visibility_modifier attribute use_declaration
        extern_crate_declaration use_list use_as_clause use_wildcard scoped_use_list""",
    ),
    lists=frozenset({"generic_function", "generic_type"}),
    within=b"::",
)
KOTLIN = Naming(
    words=frozenset({"identifier"}),
    chains={"navigation_expression": (FIRST, LAST)},
    roles=roles_of(
        called="call_expression.#first constructor_invocation annotation delegation_specifier explicit_delegation",
        new="parameter.#first variable_declaration.#first class_parameter.#first catch_block.#first setter.#first",
        generic="type_parameter.#first type_constraint.#first",
        none="package_header import",
        passed="""class_declaration.name object_declaration.name companion_object.name function_declaration.name
        type_alias.type enum_entry.#first labeled_expression return_expression.label
        value_argument.#label assignment.left""",
    ),
    lists=frozenset({"user_type"}),
    unimported=TYPES,
)
SCALA = Naming(
    words=frozenset({"identifier", "type_identifier"}),
    chains={"field_expression": ("value", "field"), "stable_identifier": (FIRST, LAST)},
    roles=roles_of(
        called="call_expression.function instance_expression extends_clause annotation.name",
        new="""parameter.name class_parameter.name val_definition.pattern var_definition.pattern typed_pattern.pattern
        capture_pattern.name case_class_pattern.pattern tuple_pattern enumerator.#first lambda_expression.parameters
        binding.name""",
        generic="type_parameters.name covariant_type_parameter.name contravariant_type_parameter.name",
        none="package_identifier import_declaration namespace_selectors",
        passed="""class_definition.name trait_definition.name object_definition.name package_object.name
        enum_definition.name simple_enum_case.name full_enum_case.name given_definition.name type_definition.name
        function_definition.name function_declaration.name val_declaration.name var_declaration.name
        arrow_renamed_identifier as_renamed_identifier assignment_expression.left infix_expression.operator
        interpolated_string_expression.interpolator""",
    ),
    lists=frozenset({"generic_function", "generic_type"}),
    unimported=TYPES,
)
SWIFT = Naming(
    words=frozenset({"simple_identifier", "type_identifier"}),
    chains={"navigation_expression": ("target", "suffix")},
    roles=roles_of(
        called="""call_expression.#first constructor_expression.constructed_type inheritance_specifier
        macro_invocation""",
        new="""parameter.name lambda_parameter.name pattern.#first if_statement.bound_identifier
        guard_statement.bound_identifier while_statement.bound_identifier computed_setter.#first""",
        generic="type_parameter.#first",
        none="import_declaration",
        passed="""class_declaration.name protocol_declaration.name function_declaration.name enum_entry.name
        protocol_function_declaration.name typealias_declaration.name associatedtype_declaration.name
        macro_declaration value_argument_label parameter.external_name
        directly_assignable_expression navigation_suffix""",
    ),
    lists=frozenset({"user_type", "identifier"}),
    unimported=TYPES,
)
