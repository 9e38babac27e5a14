"""Reads the declarations of a header, and the plain comments that describe them. Used by tools/docs.py.

Not a C++ parser: it follows braces, brackets and template lists well enough for formatted declarations, and never looks
into a function. What it knows of a declaration: kind, name, scope, access, where it begins, and its description.

A declaration is described by, in this order,
  - the comment directly above it, or behind it on its line;
  - for data members, aliases, enumerators and macros: the comment above the group of them that it stands in, which ends at
    a blank line; for functions: that of another overload;
  - for what the file is named for (silu in silu.hpp): the head comment;
  - a line of the head comment, `name(...)   description`;
  - for the enumerators of an enum on one line: what describes the enum;
  - for members that a protocol asks of an op, a margin, a rule of an optimiser or an error: the line in the head of the protocol's file;
  - for an option: the lines of the head comment that name it, which is where the formula is; for the struct of options, of
    an op or of a rule: the head comment.

A constructor, an operator, an override and a specialisation need no description beside that of what they belong to.

Private, and so in need of no description: namespaces `detail`, what lies in a class that lies in an op or a rule (function
objects, which nvcc wants to be public), coefficients (in `..._terms`), and names that end in `_`.
"""
import dataclasses
import functools
import re

TOKEN = re.compile(
    r"""(?P<space>[ \t\f\r]+|\\\n)|(?P<newline>\n)|(?P<line_comment>//[^\n]*)|(?P<comment>/\*.*?\*/)"""
    r"""|(?P<raw>(?:u8|[uUL])?R"(?P<mark>[^()\\ ]{0,16})\(.*?\)(?P=mark)")"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+')"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<number>\.?\d(?:'?[\w.]|(?<=[eEpP])[+-])*)|(?P<sign>::|->|&&|\|\||\.\.\.|.)""",
    re.S | re.X)
# suffix of a struct's name -> the files whose heads say what its members are
PROTOCOLS = {
    "_op": ["ops/op.hpp", "ops/elementwise.hpp", "ops/rowwise.hpp", "ops/class_loss.hpp", "ops/pointwise_loss.hpp"],
    "_margin": ["ops/margin_loss.hpp"],
    "_rule": ["optim/optimizer.hpp"],
    "_error": ["core/check.hpp"],
}
GROUPED = {"variable", "alias", "enumerator", "macro"}
NAMESPACES = {"limbic", "functional", "math", "init", "reduction", "std"}
NOT_A_NAME = {"alignas", "noexcept", "explicit", "decltype", "__attribute__", "requires", "sizeof", "if", "while"}


@dataclasses.dataclass
class Declaration:
    kind: str  # namespace, class, enum, enumerator, function, variable, alias, concept, macro; "" for what has no name
    name: str
    scope: tuple  # the names around it
    public: bool
    offset: int
    line: int
    last: int = 0  # its last line; for a class the line of its brace
    whole: bool = True  # its first and last line are one, so a comment behind describes it
    special: bool = False  # constructor, operator, specialisation, forward declaration: needs no description of its own
    description: list = dataclasses.field(default_factory=list)  # lines
    own: bool = False  # the description was written for it alone

    @property
    def qualified(self):
        return "::".join((*self.scope, self.name))


@dataclasses.dataclass
class Token:
    kind: str
    text: str
    offset: int
    line: int


class Header:
    def __init__(self, path, root, describe=True):
        self.text, self.stem, self.root = path.read_text(encoding="utf-8"), path.stem, root
        self.comments = {}  # line -> (text, column, alone on the line)
        self.directives = set()  # lines of the preprocessor
        self.declarations = []
        self.tokens = list(self.read())
        self.head, self.head_last = self.block_from(1)
        self.title, self.table = self.read_head()
        self.position = 0
        if describe:
            self.scan((), True, "")
            self.describe()

    # ---- tokens and comments ----------------------------------------------------------------------------------------
    def read(self):
        line, begins, code_on_line, position = 1, 0, False, 0
        while position < len(self.text):
            if not code_on_line and self.text[position] == "#":  # a directive, with its continuations
                end = re.compile(r"(?:\\\n|[^\n])*").match(self.text, position).end()
                directive = self.text[position:end]
                comment = re.search(r"//[^\n]*$", directive)
                define = re.match(r"#\s*define\s+(LIMBIC_\w+)", directive)
                last = line + directive.count("\n")
                self.directives.update(range(line, last + 1))
                if comment:
                    self.comments[last] = (comment.group(), 1, False)
                if define:
                    self.declarations.append(Declaration("macro", define.group(1), (), True, position, line, last,
                                                         special=define.group(1).endswith("_")))
                line, position, code_on_line = last, end, True
                continue
            match = TOKEN.match(self.text, position)
            kind, token = match.lastgroup, match.group()
            if kind == "mark":
                kind = "raw"
            if kind == "newline":
                begins, code_on_line = match.end(), False
            elif kind == "line_comment":
                self.comments[line] = (token, position - begins, not code_on_line)
            elif kind not in ("space", "comment"):
                code_on_line = True
                yield Token(kind, token, position, line)
            line += token.count("\n")
            position = match.end()

    def block_from(self, line):
        lines = []
        while line in self.comments and self.comments[line][2]:
            lines.append(strip(self.comments[line][0]))
            line += 1
        return lines, line - 1

    def block_above(self, line):
        line -= 1
        while line in self.directives:
            line -= 1
        lines = []
        while line > self.head_last and line in self.comments and self.comments[line][2]:
            lines.insert(0, strip(self.comments[line][0]))
            line -= 1
        return [] if lines and re.match(r" ?----", lines[0]) else lines

    def block_behind(self, line):
        if line not in self.comments or self.comments[line][2]:
            return []
        text, column, _ = self.comments[line]
        lines = [strip(text)]
        while column > 0 and self.comments.get(line + 1, ("", -1, False))[1:] == (column, True):
            line += 1
            lines.append(strip(self.comments[line][0]))
        return lines

    # ---- the head comment -------------------------------------------------------------------------------------------
    def read_head(self):
        """The title, and name -> description for each line `name(...)   description`."""
        title, table, last = "", {}, []
        for number, line in enumerate(self.head):
            if number == 0 and " - " in line:
                title = line.split(" - ", 1)[1]
                continue
            if last and re.match(r" {13,}\S", line):  # the description goes on
                for name in last:
                    table.setdefault(name, []).append(line.strip())
                continue
            last = []
            entry = re.match(r"^ {3,}(\S.*?)(?: {2,}(\S.*))?$", line)
            if not entry or not re.search(r"[,(<]", entry[1]) and not re.fullmatch(r"[\w:]+(?: [\w:]+)*", entry[1]):
                continue
            last = re.findall(r"(?:^|[\s,:.])(\w+)(?=[\s,(<]|$)", re.sub(r"\(.*?\)", "()", entry[1]))
            for name in last if entry[2] else []:
                table.setdefault(name, []).append(entry[2])
        return title, table

    def mention(self, name):
        """What the head says of a name: the lines of formulas, or the paragraph, in which it stands."""
        found, paragraph = [], []
        for line in [*self.head[1:], ""]:
            if line.strip():
                paragraph.append(line)
                continue
            named = [line for line in paragraph if re.search(rf"(?<![\w.]){name}\b", line)]
            found += named if is_formula(paragraph) else paragraph if named else []
            paragraph = []
        return found

    # ---- declarations ------------------------------------------------------------------------------------------------
    def peek(self, ahead=0):
        position = self.position + ahead
        return self.tokens[position].text if position < len(self.tokens) else ""

    def skip(self, open_, close):
        """Over a balanced group that begins here."""
        depth = 0
        while self.position < len(self.tokens):
            text = self.peek()
            depth += (text == open_) - (text == close)
            self.position += 1
            if depth == 0:
                return

    def scan(self, scope, public, kind):
        """The declarations of one scope, up to its closing brace."""
        while self.position < len(self.tokens):
            text = self.peek()
            if text == "}":
                return
            if text == "LIMBIC_BEGIN":
                self.position += 1
                self.scan((*scope, "limbic"), True, "namespace")
            elif text == "LIMBIC_END":
                return self.leave_macro()
            elif text in ("public", "private", "protected") and self.peek(1) == ":":
                public = text == "public"
                self.position += 2
            elif text == ";":
                self.position += 1
            elif kind == "enum":
                self.enumerator(scope, public)
            else:
                self.declaration(scope, public)

    def leave_macro(self):
        self.position += 1

    def enumerator(self, scope, public):
        first = self.tokens[self.position]
        while self.peek() not in (",", "}", ""):
            if self.peek() in "({":
                self.skip(self.peek(), {"(": ")", "{": "}"}[self.peek()])
            else:
                self.position += 1
        last = self.tokens[self.position - 1].line
        if self.peek() == ",":
            self.position += 1
        self.add("enumerator", first.text, scope, public, first, last)

    def template_head(self):
        """Over template <...> and a requires-clause behind it."""
        while self.peek() == "template":
            self.position += 1
            if self.peek() != "<":
                return
            depth = 0
            while self.position < len(self.tokens):
                text = self.peek()
                if text == "(":
                    self.skip("(", ")")
                    continue
                if text == "{":
                    self.skip("{", "}")
                    continue
                depth += (text == "<") - (text == ">")
                self.position += 1
                if depth == 0:
                    break
            if self.peek() == "requires":
                self.position += 1
                while True:
                    if self.peek() == "requires":  # requires requires(...) {...}
                        self.position += 1
                        if self.peek() == "(":
                            self.skip("(", ")")
                        self.skip("{", "}")
                    elif self.peek() == "(":
                        self.skip("(", ")")
                    else:
                        while self.peek() in ("!", "::") or self.tokens[self.position].kind == "word":
                            self.position += 1
                            if self.peek() == "<":
                                self.skip("<", ">")
                            if self.peek() != "::":
                                break
                    if self.peek() not in ("&&", "||"):
                        break
                    self.position += 1

    def declaration(self, scope, public):
        first = self.tokens[self.position]
        self.template_head()
        while self.peek() == "[" and self.peek(1) == "[":
            self.skip("[", "]")
        text = self.peek()
        begin = self.position
        if text == "namespace" or (text == "inline" and self.peek(1) == "namespace"):
            names = []
            while self.peek() not in ("{", ";", "="):
                if self.tokens[self.position].kind == "word" and self.peek() not in ("namespace", "inline"):
                    names.append(self.peek())
                self.position += 1
            if self.peek() == "{":
                self.add("namespace", "::".join(names), scope, public, first, self.tokens[self.position].line, special=True)
                self.position += 1
                self.scan((*scope, *names), public, "namespace")
            self.position += 1
            return
        if text in ("class", "struct", "union", "enum"):
            while self.peek() not in ("{", ";", "", "("):
                self.position += 1
            head = self.tokens[begin:self.position]
            if self.peek() == "{":
                return self.body(scope, public, first, head)
            if self.peek() == ";":
                self.position += 1
                return  # declared ahead; what it is stands where it is defined
            self.position = begin
        self.entity(scope, public, first, begin)

    def body(self, scope, public, first, head):
        key = head[0].text
        words = [t for t in head[1:] if t.kind == "word" and t.text not in ("class", "struct") and
                 not t.text.startswith("LIMBIC_") and t.text not in ("alignas", "final")]
        colon = next((i for i, t in enumerate(head) if t.text == ":"), len(head))
        named = [t for t in words if head.index(t) < colon]
        name = named[0].text if named else ""
        after = head[head.index(named[0]) + 1].text if named and head.index(named[0]) + 1 < len(head) else ""
        kind = "enum" if key == "enum" else "class"
        self.add(kind, name, scope, public, first, self.tokens[self.position].line, special=after == "<" or not name,
                 whole=True)
        self.position += 1
        inner = (*scope, name) if name else scope
        self.scan(inner, public and not (key == "class"), "enum" if key == "enum" else "class")
        self.position += 1
        while self.peek() not in (";", ""):
            self.position += 1
        self.position += 1

    def entity(self, scope, public, first, begin):
        """A function, a variable, an alias, a concept or what has no name: to its semicolon or the end of its body."""
        name, kind, special, names = "", "", False, []
        first_word = self.peek()
        if first_word == "friend":
            special = True
        angle = 0
        previous = None
        decided = False
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            text = token.text
            if text == ";":
                if not decided and previous is not None and previous.kind == "word":
                    names.append(previous.text)
                self.position += 1
                break
            if text == "operator" and not decided:
                name, kind, special, decided = "operator", "function", True, True
                self.position += 1
                if self.peek() == "(":
                    self.position += 2
                while self.peek() != "(":
                    self.position += 1
                continue
            if text == "(":
                if not decided and angle == 0:
                    if self.peek(1) == "*":
                        names.append(self.peek(2))
                        decided = True
                    elif previous is not None and previous.kind == "word" and previous.text not in NOT_A_NAME:
                        name, kind, decided = previous.text, "function", True
                        before = self.tokens[self.position - 2].text if self.position - 2 >= begin else ""
                        if scope and name == scope[-1] or before in ("~", "::") or self.position - 1 == begin or (
                                self.position - 2 == begin and before == "explicit"):
                            special = True  # a constructor, a destructor, a deduction guide, a macro, A::f
                self.skip("(", ")")
                previous = self.tokens[self.position - 1]
                continue
            if text == "{":
                if not decided and previous is not None and previous.kind == "word":  # int x{3};
                    names.append(previous.text)
                    decided = True
                expression = self.requires_before(self.position)
                self.skip("{", "}")
                previous = self.tokens[self.position - 1]
                if expression or self.peek() in (";", ",", "{", "(", "&&", "||", ")"):
                    continue
                break
            if text == "[" and not decided:
                if previous is not None and previous.kind == "word":
                    names.append(previous.text)
                    decided = "array"
                self.skip("[", "]")
                previous = self.tokens[self.position - 1]
                continue
            if text == "<" and previous is not None and previous.kind == "word" and not decided:
                self.skip_angles()
                previous = self.tokens[self.position - 1]
                if self.peek() in ("=", "{") and self.tokens[self.position - 1].text == ">" and kind == "":
                    special = special or self.explicit_specialisation(begin)
                continue
            if text == "=" and not decided:
                if previous is not None and previous.kind == "word":
                    names.append(previous.text)
                decided = True
            if text == "," and kind != "function":
                if decided is False and previous is not None and previous.kind == "word":
                    names.append(previous.text)
                decided = False
            if text == ":" and kind != "function" and not decided:
                if previous is not None and previous.kind == "word":
                    names.append(previous.text)
                decided = True
            previous = token
            self.position += 1
        last = self.tokens[self.position - 1].line
        tokens = self.tokens[begin:self.position]
        head = [t.text for t in tokens[:3]]
        if head[0] == "using":
            if len(head) > 2 and head[2] == "=":
                return self.add("alias", head[1], scope, public, first, last)
            return
        if head[0] == "concept":
            return self.add("concept", head[1], scope, public, first, last)
        if head[0] in ("static_assert", "extern") or name == "static_assert":
            return
        whole = first.line == last or kind != "function"
        if kind == "function":  # what the base says holds for what overrides it
            special = special or any(t.text in ("override", "final") for t in tokens)
            return self.add("function", name, scope, public, first, last, special=special, whole=tokens[0].line == last)
        for each in names:
            if re.match(r"[A-Za-z_]", each):
                defined_here = any(t.text == "::" and n.text == each for t, n in zip(tokens, tokens[1:]))  # T A::each
                self.add("variable", each, scope, public, first, last, special=special or defined_here, whole=whole)

    def explicit_specialisation(self, begin):
        return True

    def skip_angles(self):
        depth = 0
        while self.position < len(self.tokens):
            text = self.peek()
            if text == "(":
                self.skip("(", ")")
                continue
            if text in (";", "{"):
                return
            depth += (text == "<") - (text == ">")
            self.position += 1
            if depth == 0:
                return

    def requires_before(self, position):
        """Whether the brace at this position opens a requires-expression."""
        position -= 1
        if position >= 0 and self.tokens[position].text == "requires":
            return True
        if position < 0 or self.tokens[position].text != ")":
            return False
        depth = 0
        while position >= 0:
            depth += (self.tokens[position].text == ")") - (self.tokens[position].text == "(")
            position -= 1
            if depth == 0:
                break
        return position >= 0 and self.tokens[position].text == "requires"

    def add(self, kind, name, scope, public, first, last, special=False, whole=True):
        self.declarations.append(
            Declaration(kind, name, scope, public, first.offset, first.line, last, whole, special))

    # ---- descriptions -----------------------------------------------------------------------------------------------
    def describe(self):
        self.declarations.sort(key=lambda d: d.offset)
        by_name, group, group_end, group_scope = {}, [], -1, None
        for d in self.declarations:
            above = self.block_above(d.line)
            behind = self.block_behind(d.last) if d.whole else []
            d.description = above or behind
            d.own = bool(d.description)
            if d.kind in GROUPED:
                adjacent = d.scope == group_scope and all(
                    line in self.directives for line in range(group_end + 1, d.line))
                if above or not adjacent:
                    group = above
                if not d.description and group:
                    d.description = group
            else:
                group = []
            group_end, group_scope = d.last + len(behind) - 1 if behind else d.last, d.scope
            if d.description:
                by_name.setdefault((d.scope, d.name), d.description)
        for d in self.declarations:
            if not d.description and not d.special:
                d.description = by_name.get((d.scope, d.name)) or self.from_head(d)
            if d.kind == "enum":
                last_enum = d
            elif d.kind == "enumerator" and not d.description and d.line == last_enum.line:
                d.description = last_enum.description

    def from_head(self, d):
        if d.name == self.stem and not is_member(d):
            return self.head_description()
        if d.name in self.table:
            return self.table[d.name]
        if not is_member(d):
            if d.kind == "class" and d.name.endswith((*PROTOCOLS, "_options")):
                return self.head_description()
            return self.mention(d.name) if d.kind in ("function", "class") else []
        owner = d.scope[-1]
        if d.kind == "variable" and (owner == self.stem or owner.endswith((*PROTOCOLS, "_options"))):
            if lines := self.mention(d.name):
                return lines
        for suffix, files in PROTOCOLS.items():
            if owner.endswith(suffix):
                for file in files:
                    asked = protocol(self.root, file)
                    if lines := asked and (asked.table.get(d.name) or asked.mention(d.name)):
                        return lines
        return []

    def head_description(self):
        return [" " + self.title, *self.head[1:]] if self.title else self.head


@functools.cache
def protocol(root, file):
    path = root / file
    return Header(path, root, describe=False) if path.exists() else None


def is_formula(paragraph):
    """Whether the lines are formulas or columns, to be shown as they stand, rather than prose."""
    return any(re.match(r" {2,}\S", line) or re.search(r"[^\s.] {2,}\S", line.strip()) for line in paragraph)


def is_member(d):
    return bool(d.scope) and d.scope[-1] not in NAMESPACES


def is_public(d):
    """Whether somebody who uses the library meets this name."""
    inside = [name for name in d.scope if name.endswith(tuple(PROTOCOLS))]
    nested = inside and (d.kind == "class" or d.scope[-1] != inside[0])
    return (d.public and d.kind not in ("", "namespace") and not d.special and "detail" not in d.scope and not nested and
            not d.name.endswith("_") and not any(name.endswith("_terms") for name in d.scope) and not any(name.endswith("_") for name in d.scope))


def strip(comment):
    return comment[2:].rstrip()
