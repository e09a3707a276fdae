"""`/users`: the people of this system."""

from __future__ import annotations

from typing import Any

import django_filters
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.validators import UniqueValidator

from whalefall import confirm, people
from whalefall.api import Answer, ApiError
from whalefall.auth import ADMINISTRATOR, OPERATOR, ROLES, VIEWER
from whalefall.filters import BooleanFilter, ChoiceFilter
from whalefall.login import PasswordField
from whalefall.models import User
from whalefall.serializers import ChoiceField, ModelSerializer
from whalefall.viewsets import ModelViewSet

NONE = "none"


class UserSerializer(ModelSerializer):
    """`role`: null for none. A change without a password, a role or a state keeps what is."""

    password = PasswordField(required=False)
    role = ChoiceField(list(ROLES), allow_null=True, required=False)

    class Meta:
        model = User
        fields = (
            *("id", "username", "password", "first_name", "last_name", "email", "role"),
            *("is_active", "is_superuser", "last_login", "date_joined"),
        )
        read_only_fields = ("id", "is_superuser", "last_login", "date_joined")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].required = self.instance is None
        # Its own error is a 400; a name that is taken is a 409 here.
        kept = self.fields["username"].validators
        self.fields["username"].validators = [
            each for each in kept if not isinstance(each, UniqueValidator)
        ]

    def to_representation(self, user: User) -> dict[str, Any]:
        user.role = people.held_role(user)  # type: ignore[attr-defined]
        data: dict[str, Any] = super().to_representation(user)
        return data


class UserStatsSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    active = serializers.IntegerField()
    inactive = serializers.IntegerField()
    never_logged_in = serializers.IntegerField()
    roles = serializers.DictField(child=serializers.IntegerField())


class UserFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(method="search_in")
    role = ChoiceFilter(choices=[(role, role) for role in (*ROLES, NONE)], method="with_role")
    is_active = BooleanFilter()

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def search_in(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        fields = ("username", "first_name", "last_name", "email")
        return queryset.filter(
            Q(*((f"{field}__icontains", text) for field in fields), _connector=Q.OR)
        )

    def with_role(self, queryset: QuerySet[Any], name: str, role: str) -> QuerySet[Any]:
        return holding(queryset, role)


def holding(users: QuerySet[User], role: str) -> QuerySet[User]:
    """Those whose highest role it is; `none` for those without one."""
    administers = Q(is_superuser=True) | _in(ADMINISTRATOR)
    return users.filter(
        {
            ADMINISTRATOR: administers,
            OPERATOR: ~administers & _in(OPERATOR),
            VIEWER: ~administers & ~_in(OPERATOR) & _in(VIEWER),
            NONE: ~administers & ~_in(OPERATOR) & ~_in(VIEWER),
        }[role]
    )


def _in(role: str) -> Q:
    membership = User.groups.through.objects.filter(user=OuterRef("pk"), group__name=role)
    return Q(Exists(membership))


class UserViewSet(ModelViewSet):
    """People, for administrators. Somebody always administers."""

    queryset = User.objects.prefetch_related("groups").order_by("username", "pk")
    serializer_class = UserSerializer
    filterset_class = UserFilter
    http_method_names = ("get", "post", "put", "delete", "head", "options")
    sort_fields = {
        name: name for name in ("username", "email", "last_login", "date_joined", "is_active")
    }
    rights = dict.fromkeys(("list", "retrieve", "stats", "metadata"), "manage")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and request.auth is None:
            confirm.require(request._request)

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        _check_name(given["username"])
        _check_password(given["password"], User(username=given["username"]))
        self._save(serializer)

    def perform_update(self, serializer: Any) -> None:
        given, user = serializer.validated_data, serializer.instance
        _check_name(given["username"], user)
        if "password" in given:
            _check_password(given["password"], user)
        self._save(serializer)

    @transaction.atomic
    def _save(self, serializer: Any) -> None:
        people.one_at_a_time()
        given = dict(serializer.validated_data)
        role_given, role = "role" in given, given.pop("role", None)
        password = given.pop("password", None)
        user = serializer.instance or User()
        for name, value in given.items():
            setattr(user, name, value)
        if password is not None:
            user.set_password(password)
        user.save()
        if role_given:
            people.give_role(user, role)
        _somebody_administers()
        serializer.instance = self.get_queryset().get(pk=user.pk)

    @transaction.atomic
    def perform_destroy(self, user: User) -> None:
        people.one_at_a_time()
        if user == self.request.user and people.somebody_stays([user]):
            message = _("You cannot delete yourself: another administrator can.")
            raise ApiError("CONSTRAINT_VIOLATION", message, 409)
        user.delete()
        _somebody_administers()

    @extend_schema(responses=UserStatsSerializer, filters=False)
    @action(detail=False, pagination_class=None, filter_backends=())
    def stats(self, request: Request) -> Answer:
        """How many there are, by state and role."""
        active = Count("pk", filter=Q(is_active=True))
        never = Count("pk", filter=Q(last_login=None))
        numbers = User.objects.aggregate(total=Count("pk"), active=active, never_logged_in=never)
        numbers["inactive"] = numbers["total"] - numbers["active"]
        everybody = User.objects.order_by()
        roles = {role: holding(everybody, role).count() for role in (*ROLES, NONE)}
        return Answer({**numbers, "roles": roles})


def _somebody_administers() -> None:
    """Raises ApiError, which undoes the transaction it is asked in."""
    if not people.administrators().exists():
        message = _("Nobody would be an administrator any more.")
        raise ApiError("LAST_ADMIN_REQUIRED", message, 400)


def _check_name(name: str, user: User | None = None) -> None:
    """Names that differ in case only would be mistaken for each other."""
    taken = User.objects.filter(username__iexact=name)
    if user is not None:
        taken = taken.exclude(pk=user.pk)
    if taken.exists():
        message = _("There is a person called %(name)s already.") % {"name": name}
        raise ApiError("USERNAME_EXISTS", message, 409)


def _check_password(password: str, user: User) -> None:
    try:
        password_validation.validate_password(password, user)
    except ValidationError as exc:
        errors = [
            {"path": "password", "message": text, "code": "password_invalid"}
            for text in exc.messages
        ]
        raise ApiError("PASSWORD_INVALID", exc.messages[0], 400, errors) from exc
