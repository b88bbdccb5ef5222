"""REST entrance to the media workers, for operators."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import InScope
from common.errors import Forbidden
from common.idempotency import idempotent
from common.problems import ProblemSerializer
from conference import nodes
from conference.serializers import NodeSerializer

REFUSED = dict.fromkeys((401, 403, 404, 409, 503), ProblemSerializer)


class _ForOperators(APIView):
    """Raises Forbidden (`operator.only`) for everybody else."""

    area = "nodes"
    permission_classes = (InScope,)

    def check_permissions(self, request: Request) -> None:
        """Signed in, within the key's scopes, and an operator."""
        super().check_permissions(request)
        if not (request.user.is_authenticated and request.user.is_operator):
            raise Forbidden("operator.only", "Only operators may do this.")


class NodesView(_ForOperators):
    """Media workers."""

    @extend_schema(summary="Media workers: load and health", responses={200: NodeSerializer(many=True), **REFUSED})
    def get(self, request: Request) -> Response:
        """All of them, by name: there are few."""
        return Response(NodeSerializer(nodes.nodes(), many=True).data)


class DrainView(_ForOperators):
    """Emptying one."""

    @extend_schema(
        summary="Drain a media worker: its meetings move to others, and nothing new comes",
        request=None,
        responses={200: NodeSerializer, **REFUSED},
    )
    @idempotent
    def post(self, request: Request, node: str) -> Response:
        """The meetings are told to move; `meetings` and `connections` fall to 0 as they do."""
        return Response(NodeSerializer(nodes.drain_node(node=node)).data)


class UndrainView(_ForOperators):
    """Using it again."""

    @extend_schema(
        summary="Let a media worker carry meetings again", request=None, responses={200: NodeSerializer, **REFUSED}
    )
    @idempotent
    def post(self, request: Request, node: str) -> Response:
        """Meetings that moved away stay where they are."""
        return Response(NodeSerializer(nodes.undrain_node(node=node)).data)
