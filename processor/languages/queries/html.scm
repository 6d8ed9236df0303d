(element (start_tag (attribute (attribute_name) @attribute
  [(attribute_value) @name (quoted_attribute_value (attribute_value) @name)])) (#eq? @attribute "id")) @def.element
(element (self_closing_tag (attribute (attribute_name) @attribute
  [(attribute_value) @name (quoted_attribute_value (attribute_value) @name)])) (#eq? @attribute "id")) @def.element

(script_element (start_tag (attribute (attribute_name) @attribute
  [(attribute_value) @import (quoted_attribute_value (attribute_value) @import)])) (#eq? @attribute "src"))
(start_tag (tag_name) @tag (attribute (attribute_name) @attribute
  [(attribute_value) @import (quoted_attribute_value (attribute_value) @import)])
  (#eq? @tag "link") (#eq? @attribute "href"))
(self_closing_tag (tag_name) @tag (attribute (attribute_name) @attribute
  [(attribute_value) @import (quoted_attribute_value (attribute_value) @import)])
  (#eq? @tag "link") (#eq? @attribute "href"))
(comment) @comment
