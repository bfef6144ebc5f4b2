"""The grammar of the mapping language, for Lark's LALR parser with the lexer that knows what may come next.

A word is a keyword only where that keyword may stand, so a field may be called `kind` or `from`. What is needed for
`expression IF condition` to be both a guarded column and a value inside of brackets: a column's IF is one of its
options, and may have an ELSE.
"""

from __future__ import annotations

import re

GRAMMAR = r"""
statements: ";"* (statement ";"*)*
statement: SELECT column ("," column)* clause*
column: test option*

?option: AS name                -> as_name
       | IF test [ELSE choice]  -> guard
       | SHORTDESC TEXT         -> short
       | LONGDESC TEXT          -> long
       | KIND KIND_NAME         -> kind
       | MERGEOP name           -> operator
       | CAP limit              -> cap
limit: CAP_LIMIT | TEXT

?clause: FROM name                      -> from_stream
       | INTO name                      -> into_table
       | BY name ((OR | ",") name)*     -> by_names
       | WHERE test                     -> where
       | ALIAS name                     -> alias
name: NAME | QUOTED

?choice: test
       | test IF test [ELSE choice]     -> when
?test: either
?either: both
       | both ((OR | "||") both)+       -> any_of
?both: negation
     | negation ((AND | "&&") negation)+ -> all_of
?negation: comparison
         | (NOT | "!") negation         -> negated
?comparison: sum
           | comparison COMPARE sum         -> binary
           | comparison (LIKE | NOT_LIKE | CONTAINS | NOT_CONTAINS) sum       -> binary
           | comparison (IN | NOT_IN | INTERSECTS | NOT_INTERSECTS) among     -> binary
           | comparison (BETWEEN | NOT_BETWEEN) sum AND sum                   -> between
?among: "(" [choice ("," choice | literal)*] ")"  -> items
      | items
      | field
      | call
      | TEXT                                      -> text
?sum: product
    | sum (PLUS | MINUS) product        -> binary
?product: atom
        | product (TIMES | DIVIDE | MODULO) atom  -> binary
?atom: literal
     | MINUS NUMBER                     -> negative
     | items
     | field
     | call
     | EXISTS (literal | items | field | call)                 -> exists
     | EXISTS "(" [argument ("," argument)*] ")"               -> exists
     | AND "(" choice ("," choice)* ")" -> all_listed
     | OR "(" choice ("," choice)* ")"  -> any_listed
     | "(" choice ")"                   -> grouped
?literal: TEXT                          -> text
        | NUMBER                        -> number
items: "[" [choice ("," choice)*] "]"
field: NAME | QUOTED
call: NAME "(" [argument ("," argument)*] ")"
?argument: choice
         | choice AS KIND_NAME          -> cast_to
         | TIMES                        -> star

SELECT.2: /select(?![\w.])/i
FROM.2: /from(?![\w.])/i
INTO.2: /into(?![\w.])/i
BY.2: /by(?![\w.])/i
WHERE.2: /where(?![\w.])/i
ALIAS.2: /alias(?![\w.])/i
AS.2: /as(?![\w.])/i
IF.2: /if(?![\w.])/i
ELSE.2: /else(?![\w.])/i
KIND.2: /kind(?![\w.])/i
MERGEOP.2: /mergeop(?![\w.])/i
SHORTDESC.2: /shortdesc(?![\w.])/i
LONGDESC.2: /longdesc(?![\w.])/i
CAP.2: /cap(?![\w.])/i
AND.2: /and(?![\w.])/i
OR.2: /or(?![\w.])/i
NOT.2: /not(?![\w.])/i
EXISTS.2: /exists(?![\w.])/i
LIKE.2: /like(?![\w.])/i
CONTAINS.2: /contains(?![\w.])/i
IN.2: /in(?![\w.])/i
INTERSECTS.2: /intersects(?![\w.])/i
BETWEEN.2: /between(?![\w.])/i
NOT_LIKE.3: /not\s+like(?![\w.])/i
NOT_CONTAINS.3: /not\s+contains(?![\w.])/i
NOT_IN.3: /not\s+in(?![\w.])/i
NOT_INTERSECTS.3: /not\s+intersects(?![\w.])/i
NOT_BETWEEN.3: /not\s+between(?![\w.])/i
COMPARE: "==" | "!=" | "<>" | "<=" | ">=" | "=" | "<" | ">"
PLUS: "+"
MINUS: "-"
TIMES: "*"
DIVIDE: "/"
MODULO: "%"
NAME: /[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*/
QUOTED: /`[^`]+`/
TEXT: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/s
NUMBER: /([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?(?![\w.])/
KIND_NAME: /[A-Za-z_][A-Za-z0-9_]*(\[[A-Za-z]*\][A-Za-z]*)?|\[\][A-Za-z]+/
CAP_LIMIT: /[0-9]+d?(?![\w.])/i

COMMENT.9: /--[^\n]*|#[^\n]*|\/\/[^\n]*|\/\*(.|\n)*?\*\//
%ignore COMMENT
%ignore /[\s\ufeff]+/
"""

KEYWORDS = frozenset(
    [*re.findall(r"(?m)^([A-Z]+)\.2:", GRAMMAR.replace("_", "")), "TRUE", "FALSE", "NULL"],
)
"""Words, in capitals, that the printer puts in backticks when they are names."""
