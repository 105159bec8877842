"""Forms of the resources that the team keeps."""

from collections.abc import Iterable
from uuid import UUID

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.forms.base import Form
from portal.forms.programme import ChosenRadioField, SomeCheckboxesField
from portal.models import PARTICIPANT, Resource, ResourceKind, Role, SessionKind
from portal.programme import Programme
from portal.resources.shelf import ABOUT_AT_MOST, LINK_AT_MOST, TITLE_AT_MOST, WORDS, Described


class DescribedFields(Form):
    """What the team says of a resource."""

    title = StringField(
        "What is it called?",
        validators=[
            InputRequired("Enter what it is called"),
            Length(max=TITLE_AT_MOST, message=f"Use {TITLE_AT_MOST} characters or fewer"),
        ],
    )
    about = TextAreaField(
        "What is it, in a sentence or two?",
        validators=[Length(max=ABOUT_AT_MOST, message=f"Use {ABOUT_AT_MOST} characters or fewer")],
    )
    kind = ChosenRadioField(
        "What kind is it?",
        said="Choose what kind it is",
        choices=[SelectChoice(kind.value, words) for kind, words in WORDS.items()],
    )
    roles = SomeCheckboxesField("Who is it for?", said="Choose from the list")
    session_kinds = SomeCheckboxesField("For which sessions?", said="Choose from the list")
    crown = BooleanField("It was made under the contract (Crown copyright)")

    def offer(self, programme: Programme) -> None:
        """The words of roles and session kinds."""
        self.roles.choices = [
            SelectChoice(role.value, words) for role, words in programme.roles.items() if role in PARTICIPANT
        ]
        self.session_kinds.choices = [
            SelectChoice(kind.value, words) for kind, words in programme.session_kinds.items()
        ]

    @property
    def described(self) -> Described:
        return Described(
            title=self.title.data or "",
            about=self.about.data or "",
            kind=ResourceKind(self.kind.data),
            roles=[Role(role) for role in self.roles.data or []],
            session_kinds=[SessionKind(kind) for kind in self.session_kinds.data or []],
            crown=self.crown.data,
        )


def _link() -> StringField:
    return StringField(
        "Address of the link",
        validators=[
            InputRequired("Enter the address"),
            Length(max=LINK_AT_MOST, message=f"Use {LINK_AT_MOST} characters or fewer"),
        ],
    )


class LinkForm(DescribedFields):
    """A link."""

    link = _link()


class NewFileForm(DescribedFields):
    """A file; what it is, its content says."""

    file = FileField("File", validators=[FileRequired("Choose a file")])


class ChangeLinkForm(LinkForm):
    """A link described anew."""


class ChangeFileForm(DescribedFields):
    """A file described anew, or replaced."""

    file = FileField("Another file instead")


class AttachForm(Form):
    """What is attached to a package or a session."""

    resources = SomeCheckboxesField("Which resources?", said="Choose from the list")

    def offer(self, resources: Iterable[Resource]) -> None:
        """What can be chosen."""
        self.resources.choices = [SelectChoice(str(one.id), one.title or "") for one in resources]

    @property
    def chosen(self) -> list[UUID]:
        return [UUID(value) for value in self.resources.data or []]
